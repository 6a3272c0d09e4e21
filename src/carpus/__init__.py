"""carpus reads wrist radiographs in rheumatoid arthritis, and measures how well."""
