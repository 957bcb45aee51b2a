"""Order, lifetimes and buffer reuse of a graph about to be executed."""
