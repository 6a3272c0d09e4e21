"""The only layer that prints, exits or opens a port."""
