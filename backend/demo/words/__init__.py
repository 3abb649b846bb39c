"""Word lists of the demo county: names, places, notes and requests, without logic."""
