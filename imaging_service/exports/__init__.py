"""Central review searches: what stands where, who differs, and why a number is what it is."""
