"""What a difference between numbers means: group tests and patient bootstrap."""
