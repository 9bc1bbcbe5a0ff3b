"""The history of the service's tables, in both databases, and Procrastinate's beside it."""
