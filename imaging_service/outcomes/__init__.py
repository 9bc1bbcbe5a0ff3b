"""Endpoints of a subject and of the cohort."""
