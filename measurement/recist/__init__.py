"""RECIST 1.1 response rules (E09: Eisenhauer et al., Eur J Cancer 2009;45:228-247)."""
