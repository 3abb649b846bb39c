"""The Gridhood server."""
