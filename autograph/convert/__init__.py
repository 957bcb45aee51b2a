"""From a function's syntax tree to the tree whose control flow calls the hooks."""
