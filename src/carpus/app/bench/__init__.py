"""The benchmark matrix: every network and seed trained, evaluated and reported, whatever happens on the way."""
