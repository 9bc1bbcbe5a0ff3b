"""The calendar of a whole trial: every subject with its timepoints, what is due, and what waits."""
