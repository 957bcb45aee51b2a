"""Graph to graph: optimisations."""
