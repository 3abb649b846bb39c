"""Reporting what was seen, asking help for somebody, and moving on what waits."""
