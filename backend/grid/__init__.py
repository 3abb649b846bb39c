"""Grid: divisions, cells and their boundaries, and which cell a place lies in.

`data/` holds the real divisions and outline of the county; `data/SOURCES.md` says where they come from.
"""
