"""Who answers for a cell and its households."""
