"""Who lives behind a door."""
