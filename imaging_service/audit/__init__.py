"""Who did what, when and why: appended, chained by hashes, never changed."""
