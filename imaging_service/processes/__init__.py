"""The service as running processes: opened, supervised, and ended together."""
