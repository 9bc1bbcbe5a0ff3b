"""What the machine suggests to a reader, kept beside what the reader made of it."""
