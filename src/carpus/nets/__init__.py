"""Networks by name: `SEGMENTERS` and `CLASSIFIERS` build them, `checkpoint` saves and loads them."""
