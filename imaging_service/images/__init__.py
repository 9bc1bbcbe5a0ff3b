"""What a reader may see of a timepoint's images."""
