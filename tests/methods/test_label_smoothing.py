import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.controls import LabelSmoothingSettings
from ferclean.methods.label_smoothing import LabelSmoothing
from fixtures.recipe_steps import make_context, make_network, make_step

OBSERVED = np.arange(8) % 3


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_targets_are_torchs_smoothed_labels_in_every_epoch(share):
    assert LabelSmoothingSettings().smoothing == 0.1
    recipe = LabelSmoothing(LabelSmoothingSettings(smoothing=share))
    context = make_context(OBSERVED, 3)
    assert not recipe.needs_partition(3, context)
    for (work,) in (recipe.warm_up(context), recipe.epoch(3, context, None)):
        network = make_network(recipe, 3).eval()
        step = make_step(work, [network], {"all": [7, 2, 4, 0]})
        (term,) = work.objective(step)
        expected = functional.cross_entropy(
            network(step.batches["all"].views[0]),
            torch.from_numpy(OBSERVED[[7, 2, 4, 0]]),
            reduction="none",
            label_smoothing=share,
        )
        torch.testing.assert_close(term.values, expected)
