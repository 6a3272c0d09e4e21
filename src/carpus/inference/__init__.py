"""A checkpoint and a radiograph give a wrist reading."""
