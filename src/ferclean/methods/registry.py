"""One line a method: its name in params.yaml and the class that holds its recipe."""

from __future__ import annotations

from importlib import import_module

from ferclean.config.methods import MethodsSettings
from ferclean.errors import unknown_name
from ferclean.methods.base import Recipe

RECIPES: dict[str, str] = {
    "cross_entropy": "ferclean.methods.cross_entropy:CrossEntropy",
    "oracle_clean": "ferclean.methods.cross_entropy:OracleClean",
    "smr": "ferclean.methods.smr:Smr",
}


def build_recipe(name: str, settings: MethodsSettings) -> Recipe:
    """Return a method's recipe with its settings.

    Raises
    ------
    FercleanError
        If no such method is registered; the message lists the known ones.
    """
    if name not in RECIPES:
        raise unknown_name("method", name, RECIPES)
    module, _, attribute = RECIPES[name].partition(":")
    recipe: Recipe = getattr(import_module(module), attribute)(settings.of(name))
    return recipe
