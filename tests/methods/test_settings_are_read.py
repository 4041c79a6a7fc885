"""A setting that no recipe reads would be a knob without a use."""

import dataclasses
import inspect
import re

import pytest

from ferclean.config.methods import METHOD_NAMES, MethodsSettings
from ferclean.methods.registry import build_recipe


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_the_recipe_reads_each_of_its_settings_by_itself(name):
    recipe = build_recipe(name, MethodsSettings())
    own = [c for c in type(recipe).__mro__ if c.__module__.startswith("ferclean.methods")]
    text = "\n".join(inspect.getsource(each) for each in own)
    fields = {field.name for field in dataclasses.fields(recipe.settings)}
    assert fields <= set(re.findall(r"(?:settings|own)\.(\w+)", text))
