"""Goldens are read by tests, never collected."""

collect_ignore_glob = ["*"]
