"""Hours a volunteer served."""
