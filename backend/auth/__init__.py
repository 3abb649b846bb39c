"""Accounts, tokens and the grants that give a role inside an area."""
