"""Signing in on a phone, and who is signed in."""
