"""Reverse-mode autodiff: of graphs, and gradient tapes."""
