"""The command line: `autograph convert`, `autograph explain`, `autograph graph`."""
