"""The history of the archive's tables, one revision a step."""
