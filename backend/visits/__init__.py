"""What a worker saw at a door, and when to come back."""
