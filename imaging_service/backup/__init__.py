"""Everything that was acknowledged, copied elsewhere while the service runs, and put back from there."""
