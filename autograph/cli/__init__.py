"""The command line: `autograph convert`, `autograph graph`."""
