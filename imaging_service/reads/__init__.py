"""What each reader saw, measured and signed, one read per timepoint."""
