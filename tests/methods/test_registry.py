import pytest

from ferclean.config.methods import METHOD_NAMES, MethodsSettings
from ferclean.errors import FercleanError
from ferclean.methods.base import Recipe
from ferclean.methods.registry import RECIPES, build_recipe


def test_settings_and_recipes_name_the_same_methods():
    assert set(RECIPES) == set(METHOD_NAMES)


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_every_recipe_builds_with_its_own_settings(name):
    settings = MethodsSettings()
    recipe = build_recipe(name, settings)
    assert isinstance(recipe, Recipe) and recipe.settings is settings.of(name)
    assert recipe.networks >= 1 and recipe.score_name


def test_an_unknown_method_names_the_known_ones():
    with pytest.raises(FercleanError, match=r"unknown method 'smrr'; did you mean 'smr'\? .known:"):
        build_recipe("smrr", MethodsSettings())
