"""The operation registry and its families."""
