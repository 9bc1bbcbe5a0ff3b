"""What the people who run the listener ask: does it live, is it ready, what does it do."""
