"""What the bench and the servers it starts both know. Apart, so that no server carries what only filling needs."""

from backend.core.settings import Keys, derive_keys

COUNTY = "610330"
KEYS: Keys = derive_keys(bytes(range(32)))
