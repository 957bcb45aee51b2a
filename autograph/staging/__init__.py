"""Calls to traced graphs: signatures, tracing, concrete functions, the `function` decorator."""
