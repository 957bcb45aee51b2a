"""Builds, differentiates, optimises and executes graphs of array operations. Knows nothing of Python source."""
