"""Other formats for a dataset: each file writes wrists into a folder and reads them back.

`write_*` takes wrists one at a time and returns what the format could not keep, one sentence each. `read_*` returns a
function for every case, which loads it when it is called.
"""
