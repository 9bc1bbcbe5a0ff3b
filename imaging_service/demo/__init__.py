"""The demo: a whole trial played over real network traffic, and every answer checked."""
