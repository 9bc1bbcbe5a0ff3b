"""The enrolled persons, known to readers by a blinded reading id only."""
