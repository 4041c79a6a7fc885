import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.controls import MixupSettings
from ferclean.methods.mixup import Mixup
from ferclean.train.mixup import draw_coefficient, draw_partners, mix
from fixtures.recipe_steps import make_context, make_network, make_step

OBSERVED = np.arange(8) % 3


def test_mixed_pictures_with_both_labels_in_every_epoch():
    assert MixupSettings().alpha == 1.0
    recipe, context = Mixup(MixupSettings(alpha=2.0)), make_context(OBSERVED, 3)
    assert not recipe.needs_partition(3, context)
    for (work,) in (recipe.warm_up(context), recipe.epoch(3, context, None)):
        network = make_network(recipe, 3).eval()
        (term,) = work.objective(make_step(work, [network]))
        step, labels = make_step(work, [network]), torch.eye(3)[OBSERVED]
        share, partners = draw_coefficient(2.0, step.random), draw_partners(8, step.generator)
        logits = network(mix(step.batches["all"].views[0], partners, share))
        mixed = share * labels + (1 - share) * labels[partners]
        expected = functional.cross_entropy(logits, mixed, reduction="none")
        torch.testing.assert_close(term.values, expected)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_folded_coefficient_mixes_the_same_pairs(share):
    values = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    partners = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    plain = mix(values, partners, share)
    folded = mix(values, torch.argsort(partners), 1 - share)
    torch.testing.assert_close(plain, folded[partners])
