"""Talking with the server: the only room of the phone app that meets the network."""
