"""Who answers for a cell and its households, leaving a post, and what nobody answers for."""
