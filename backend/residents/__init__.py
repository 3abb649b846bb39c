"""People, households and doors: the register."""
