"""Rules of operations, by family; the file of an operation is loaded when a graph has it (catalogue.py)."""
