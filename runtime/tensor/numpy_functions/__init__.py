"""NumPy's functions on tensors, by NumPy's own names and signatures; each family is a file."""
