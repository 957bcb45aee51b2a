"""Built-in functions and operators on staged values: stand-ins, comparisons, comprehensions, membership."""
