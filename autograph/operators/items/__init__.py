"""Items: loops over them, subscripts and attributes."""
