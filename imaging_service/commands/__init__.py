"""What is typed after `imaging-service`: one file a noun, and how a refusal is told."""
