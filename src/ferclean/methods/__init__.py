"""Recipes: one short module a published system."""
