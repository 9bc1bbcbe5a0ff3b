"""Responses derived from signed reads, stored with everything they follow from."""
