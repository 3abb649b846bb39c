"""Photos: received in chunks, checked, made anew, kept under their hash."""
