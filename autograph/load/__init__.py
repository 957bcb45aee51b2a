"""From a rewritten syntax tree to a function that runs."""
