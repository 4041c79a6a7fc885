"""From a method's name in params.yaml to its recipe."""

from __future__ import annotations

from importlib import import_module

from ferclean.config.methods import MethodsSettings, recipe_of
from ferclean.methods.base import Recipe


def build_recipe(name: str, settings: MethodsSettings) -> Recipe:
    """Return a method's recipe with its settings.

    Raises
    ------
    FercleanError
        If no such method is registered; the message lists the known ones.
    """
    module, _, attribute = recipe_of(name).partition(":")
    recipe: Recipe = getattr(import_module(f"ferclean.methods.{module}"), attribute)(
        settings.of(name)
    )
    return recipe
