import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.fields import build
from ferclean.config.methods.eac import EacSettings
from ferclean.config.training import ModelSettings
from ferclean.errors import FercleanError
from ferclean.losses.attention import attention_consistency, class_activation_maps
from ferclean.methods.eac import Eac
from ferclean.models.registry import build_network
from fixtures.recipe_steps import make_context, make_network, make_step

OBSERVED = np.arange(12) % 3
PICTURES = torch.randn(40, 1, 24, 24, generator=torch.Generator().manual_seed(0)) + 5


def test_the_codes_constants_are_the_defaults():
    own = EacSettings()
    assert (own.consistency_weight, own.erase, own.erase_area) == (5.0, 0.5, (0.02, 0.25))
    assert own.independent_erase


def test_the_face_is_classified_and_its_attention_held_at_its_mirror_images():
    recipe, context = Eac(EacSettings(consistency_weight=3.0)), make_context(OBSERVED, 3)
    network = make_network(recipe, 3).eval()
    for (work,) in (recipe.warm_up(context), recipe.epoch(9, context, None)):
        step = make_step(work, [network], {"all": [5, 0, 7]}, seed=2)
        entropy, consistency = work.objective(step)
        views = step.batches["all"].views
        own, other = recipe.erased_pair(views[0], torch.Generator().manual_seed(2))
        labels = torch.from_numpy(OBSERVED[[5, 0, 7]])
        expected = functional.cross_entropy(network(own), labels, reduction="none")
        torch.testing.assert_close(entropy.values, expected)
        weight = network.classifier.weight
        maps = [class_activation_maps(network.maps(x), weight) for x in (own, other)]
        torch.testing.assert_close(consistency.values, attention_consistency(*maps))
        assert (entropy.weight, consistency.weight, len(views)) == (1.0, 3.0, 1)


@pytest.mark.parametrize("independent", [True, False])
def test_what_is_erased_from_face_and_mirror_image(independent):
    recipe = Eac(EacSettings(independent_erase=independent))
    own, other = recipe.erased_pair(PICTURES, torch.Generator().manual_seed(0))
    for found, whole in ((own, PICTURES), (other, PICTURES.flip(-1))):
        gone = found == 0
        torch.testing.assert_close(found[~gone], whole[~gone])
        touched = gone.flatten(1).any(dim=1)
        assert 10 < int(touched.sum()) < 30  # half of them
        share = gone[touched].float().mean(dim=(1, 2, 3))
        assert share.min() > 0.01 and share.max() < 0.3
    assert torch.equal(own, other.flip(-1)) != independent


def test_erasing_can_be_switched_off():
    own, other = Eac(EacSettings(erase=0.0)).erased_pair(PICTURES, torch.Generator())
    assert torch.equal(own, PICTURES) and torch.equal(other, PICTURES.flip(-1))


@pytest.mark.slow
def test_a_backbone_without_maps_is_told_the_way_out():
    recipe, context = Eac(EacSettings()), make_context(OBSERVED, 3)
    model = ModelSettings(name="vgg16", dropout=0.0)
    network = build_network(model, classes=3, channels=1, image_size=32, seed=0)
    (work,) = recipe.warm_up(context)
    with pytest.raises(FercleanError, match=r"set model\.name to tiny48"):
        work.objective(make_step(work, [network], {"all": [0, 1]}))


def test_an_area_out_of_order_is_refused():
    with pytest.raises(FercleanError, match=r"eac.erase_area must be \[smallest, largest\]"):
        build(EacSettings, {"erase_area": [0.5, 0.1]}, "eac")
