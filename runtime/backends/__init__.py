"""Executors and exporters: siblings over the registry."""
