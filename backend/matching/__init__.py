"""Who is asked to help whom: the pure engine, and the offers made from its answers."""
