"""Recipe to checkpoint, checkpoint to results."""
