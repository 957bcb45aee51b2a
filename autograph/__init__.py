"""Ordinary Python in, graphs out."""
