"""Central imaging review of a trial: from received studies to responses and endpoints."""
