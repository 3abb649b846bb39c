"""Volunteers: what they can do, where and when, and the minutes they served."""
