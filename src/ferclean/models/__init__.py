"""Backbones, the networks made of them, and their published weights."""
