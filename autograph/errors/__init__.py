"""Every error a user can meet, with its text."""
