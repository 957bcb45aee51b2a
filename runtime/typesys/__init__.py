"""Element types, shapes and the types of graph values."""
