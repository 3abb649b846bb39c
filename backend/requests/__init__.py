"""Service requests: help for a person, an incident at a place, a matter at the window."""
