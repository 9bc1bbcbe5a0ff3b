"""The site's own evaluation of timepoints, apart from central reading, and compared with it."""
