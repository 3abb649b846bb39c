"""Photos: taken, made small, kept sealed, sent after the record that announces them."""
