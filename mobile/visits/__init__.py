"""What a worker sees at a door, and the day's summary."""
