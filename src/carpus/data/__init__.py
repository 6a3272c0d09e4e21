"""RAM-W600 on disk: reader, writer, check, splits, statistics, results and torch datasets."""
