"""A third reader chooses between two reads of a subject; which reads count as the trial's."""
