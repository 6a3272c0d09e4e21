"""Segmentation networks, one a file."""
