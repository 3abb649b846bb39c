"""Push and pull for phones, and the feed for other systems."""
