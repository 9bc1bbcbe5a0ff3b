"""Background work: one small door, two queues behind it (own tables, Procrastinate)."""
