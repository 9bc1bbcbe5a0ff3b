"""What imaging is expected of each subject, and which received study answers it."""
