"""What the people who run the service ask: does it live, is it ready, is the record whole."""
