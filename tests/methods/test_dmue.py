import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.dmue import DmueSettings
from ferclean.losses.latent_distribution import (
    branch_cross_entropy,
    latent_distribution,
    latent_error,
    ramp_down,
    ramp_up,
    similarity_error,
)
from ferclean.methods.dmue import Dmue
from fixtures.recipe_steps import make_context, make_network, make_step

OBSERVED = np.arange(12) % 3


def one_step(recipe, rows, observed=OBSERVED, epoch=5.0):
    context, network = make_context(observed, 3), make_network(recipe, 3)
    (work,) = recipe.epoch(5, context, None)
    step = make_step(work, [network], {"all": rows}, epoch=epoch)
    return network, step, {term.name: term for term in work.objective(step)}


def test_the_codes_constants_are_the_defaults():
    own = DmueSettings()
    assert (own.temperature, own.soft_weight, own.similarity_weight) == (1.2, 0.5, 1000.0)
    assert (own.ramp_epochs, own.similarity_of) == (9.0, "features")


@pytest.mark.parametrize("compared", ["logits", "features"])
def test_the_loss_is_that_of_its_parts(compared):
    recipe, rows = Dmue(DmueSettings(similarity_of=compared)), [0, 1, 2, 3, 4, 5, 9]
    network, step, terms = one_step(recipe, rows)
    labels = torch.from_numpy(OBSERVED[rows])
    features = network.features(step.batches["all"].views[0])
    embedded = network.classifier.embed(features)
    logits = network.classifier.output(embedded)
    branches, words = network.heads["auxiliary"](features)
    if compared == "logits":
        branches = torch.where(words.isinf(), 0.0, words)
    score = network.heads["pairwise"](embedded, labels)
    latent = latent_distribution(words, labels, 1.2)
    expected = {
        "cross_entropy": functional.cross_entropy(score * logits, labels, reduction="none"),
        "soft": latent_error(logits, labels, latent),
        "similarity": similarity_error(branches, embedded, labels),
        "auxiliary": branch_cross_entropy(words, labels),
    }
    assert set(terms) == set(expected)
    for name, values in expected.items():
        torch.testing.assert_close(terms[name].values, values, msg=name)
    up, down = ramp_up(5, 9), ramp_down(5, 9)
    weights = {name: term.weight for name, term in terms.items()}
    assert weights == {
        "cross_entropy": up,
        "soft": 0.5 * up,
        "similarity": 1000 * up,
        "auxiliary": down,
    }


@pytest.mark.parametrize(
    ("epoch", "up", "down"),
    [
        (0.0, math.exp(-5), 1.0),
        (1.9, math.exp(-5 * (3 / 4) ** 2), 1.0),  # whole epochs
        (3.0, math.exp(-5 * (1 / 4) ** 2), 1.0),
        (4.0, 1.0, 1.0),
        (5.5, 1.0, math.exp(-((1 / 5) ** 2))),
        (40.0, 1.0, math.exp(-((9 / 10) ** 2))),
    ],
)
def test_the_branches_hand_over_to_the_target_branch_in_whole_epochs(epoch, up, down):
    recipe = Dmue(DmueSettings(ramp_epochs=4.0, soft_weight=0.3, similarity_weight=70.0))
    _, _, terms = one_step(recipe, [0, 1, 2, 3], epoch=epoch)
    assert {name: term.weight for name, term in terms.items()} == pytest.approx(
        {"cross_entropy": up, "soft": 0.3 * up, "similarity": 70 * up, "auxiliary": down}
    )


def test_all_layers_learn():
    network, _, terms = one_step(Dmue(DmueSettings()), list(range(12)))
    torch.stack([term.values.mean() for term in terms.values()]).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 1, 1], [2, 0, 1, 2]])
def test_classes_with_few_rows_or_none_in_a_batch(labels):
    network, _, terms = one_step(Dmue(DmueSettings()), [0, 1, 2, 3], np.array(labels))
    loss = sum(term.weight * term.values.mean() for term in terms.values())
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.grad is not None)


def test_the_target_branch_alone_predicts():
    network = make_network(Dmue(DmueSettings(branch_width=17)), 3).eval()
    pictures = torch.randn(2, 1, 24, 24)
    features = network.features(pictures)
    torch.testing.assert_close(network(pictures), network.classifier(features))
    assert network.classifier.output.in_features == 17
