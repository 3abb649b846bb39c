"""What could not be applied as it came, on the phone of whoever may decide: cards, decisions, and what is said back."""
