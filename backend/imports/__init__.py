"""Import: spreadsheets into the register, checked before they are stored, and undone as a whole."""
