"""The graph, its builder, verifier and text form."""
