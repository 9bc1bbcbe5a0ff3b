"""The trials, their protocol versions, their sites and who reads for them."""
