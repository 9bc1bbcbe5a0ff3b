"""One pipeline for whatever arrives: check, keep, index, receipt."""
