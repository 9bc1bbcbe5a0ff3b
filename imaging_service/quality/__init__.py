"""Quality control: whether a timepoint's images may be read."""
