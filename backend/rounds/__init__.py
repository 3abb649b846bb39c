"""Whom to see today: rules that make work, and warnings for an area."""
