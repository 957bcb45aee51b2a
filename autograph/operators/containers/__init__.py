"""Lists and what they share: run-time lists, relations between containers that are one in Python, methods."""
