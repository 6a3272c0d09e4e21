"""Tables, figures, overlays and the one-file report, from tidy results and plain values."""
