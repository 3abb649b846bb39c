"""New boundaries for a community from a day on: who and what will move is shown first, then moved at its date."""
