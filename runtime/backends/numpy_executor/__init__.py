"""Graphs as straight Python source over NumPy, and the functions made of it."""
