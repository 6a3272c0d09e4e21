"""Classification networks, one a file."""
