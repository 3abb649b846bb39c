"""Invitations to help, and the task after a yes."""
