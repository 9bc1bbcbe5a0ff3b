"""Who may act, as what, and on which trials, sites and reads."""
