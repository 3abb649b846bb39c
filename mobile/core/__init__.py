"""What every room of the phone app stands on: fonts, icons, words, navigation."""
