"""Calls: of converted code, of generators, recursive ones as named graphs, of wrappers."""
