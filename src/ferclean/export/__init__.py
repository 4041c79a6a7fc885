"""Repaired labels in the layouts of other programs."""
