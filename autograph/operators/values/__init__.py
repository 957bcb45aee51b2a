"""Python values in staged regions: what their types are, how two of them join, how graph values carry them."""
