"""Typed settings of params.yaml."""
