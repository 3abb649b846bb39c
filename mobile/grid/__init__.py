"""The worker's cells and stairwells."""
