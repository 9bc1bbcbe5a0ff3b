"""Answers kept beside what they follow from, so that a question about a whole trial reads small rows."""
