"""Vectors of the class words and how similar they are."""
