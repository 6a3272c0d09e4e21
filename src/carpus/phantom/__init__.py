"""Synthetic wrists: anatomy, disease, projection physics, centres, and patients over time."""
