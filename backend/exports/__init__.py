"""Taking data out: lists as files for people and programs, and a whole county as one archive."""
