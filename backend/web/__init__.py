"""Pages for a browser: plain HTML made on the server, that works without scripts and with a screen reader."""
