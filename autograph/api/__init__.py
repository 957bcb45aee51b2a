"""The public names, built from what operations and functions declare."""
