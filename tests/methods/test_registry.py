import pytest

from ferclean.config.methods import METHOD_NAMES, MethodsSettings, inputs_of
from ferclean.config.side_inputs import SIDE_INPUTS
from ferclean.errors import FercleanError
from ferclean.methods.base import Recipe
from ferclean.methods.registry import build_recipe
from ferclean.steps.side_inputs import READERS


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_every_recipe_builds_with_its_own_settings(name):
    settings = MethodsSettings()
    recipe = build_recipe(name, settings)
    assert isinstance(recipe, Recipe) and recipe.settings is settings.of(name)
    assert recipe.networks >= 1 and recipe.score_name
    assert set(inputs_of(name)) <= set(SIDE_INPUTS) <= set(READERS)


def test_an_unknown_method_names_the_known_ones():
    with pytest.raises(FercleanError, match=r"unknown method 'smrr'; did you mean 'smr'\? .known:"):
        build_recipe("smrr", MethodsSettings())
