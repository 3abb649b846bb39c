"""The one way to start, read and write, used by every room, sync and jobs alike."""
