"""What is known of a function's syntax tree: which names it reads and binds, and which are live where."""
