"""Wire models that the server and the phone share: pydantic and the standard library only."""
