"""Lesions, what was seen of them at a timepoint, and which may be targets."""
