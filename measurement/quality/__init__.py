"""Whether the images of a timepoint are what the protocol asks for."""
