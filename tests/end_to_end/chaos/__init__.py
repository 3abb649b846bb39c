"""Phones, a server and a network that fail all the time, and a count at the end of what was lost or doubled."""
