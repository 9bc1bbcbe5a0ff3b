"""Amendments of a protocol: what one would change before it is filed, and answers derived anew under it."""
