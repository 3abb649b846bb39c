"""Hours a volunteer served, and what they say of themselves: when they are free, for what, and when not to ring."""
