"""Branches, `while` loops, `try`, `assert` and `match`, and what they test and print."""
