import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.resup import ResupSettings
from ferclean.methods.base import softmax
from ferclean.methods.resup import Resup
from ferclean.partition.beta_mixture import fit_two_betas, posterior_tables
from ferclean.partition.mixtures import fit_two_gaussians, scale_to_unit
from ferclean.partition.scores import cross_entropy_score, similarity_score
from ferclean.tables.partitions import read_partition, write_partition
from ferclean.train.observe import Observation
from ferclean.train.seeds import derive_seed
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES, ROWS = 4, 300
NAMES, IDS = ("a", "b", "c", "d"), np.array([f"s{i:03d}" for i in range(ROWS)])
MIXTURES = ("beta", "per_class", "gmm_loss", "identity")


@pytest.fixture
def noisy():
    """Two networks that mostly know the truth; three labels in ten are wrong."""
    random = np.random.default_rng(0)
    observed = random.integers(CLASSES, size=ROWS)
    wrong = random.random(ROWS) < 0.3
    truth = np.where(wrong, (observed + 1) % CLASSES, observed)
    logits = random.normal(size=(2, ROWS, CLASSES)).astype(np.float32)
    logits[:, np.arange(ROWS), truth] += np.array([[4.0], [5.0]])
    logits[0, [3, 21, 45]] = logits[0, [3, 21, 45]][:, ::-1]  # where they disagree
    return observed, truth, logits


def split_of(noisy, **settings):
    observed, _, logits = noisy
    recipe, context = Resup(ResupSettings(**settings)), make_context(observed, CLASSES)
    found = recipe.partition(Observation(logits), context, {})
    return recipe, context, (found, recipe.relabel(found, observed))


def one_step(recipe, context, split, rows):
    (work,) = recipe.epoch(3, context, split)
    networks = [make_network(recipe, CLASSES).eval() for _ in range(2)]
    with torch.no_grad():
        networks[0].classifier.weight.mul_(3)
        networks[1].classifier.weight.mul_(-6)
    step = make_step(work, networks, {"all": rows})
    logits = [network(step.batches["all"].views[0]) for network in networks]
    return networks, logits, work.objective(step)


def naive_weight(mixture, net, row, z, noisy):
    """Return c of one row of a batch, from the networks' logits z there."""
    observed, _, logits = noisy
    if mixture == "gmm_loss":
        losses = scale_to_unit(cross_entropy_score(logits[net], observed)).astype(np.float32)
        fit = fit_two_gaussians(losses, seed=derive_seed(0, "mixture", net))
        return fit.clean_probability[row]
    p = softmax(z.detach().numpy())
    s = p[observed[row]] / np.sqrt((p**2).sum())
    if mixture == "identity":
        return s
    fitted = similarity_score(softmax(logits[net]), observed)
    if mixture == "per_class":
        fitted = fitted[observed == observed[row]]
    fit = fit_two_betas(np.clip(fitted, 1e-3, 1 - 1e-3))
    return posterior_tables(fit.parameters)[0][min(int(100 * s), 99)]


def test_the_codes_constants_are_the_defaults():
    own = ResupSettings()
    assert (own.mixture, own.swap, own.agreement_weight) == ("beta", True, 5.0)
    assert own.test_network == "mean" and Resup.networks == 2


def test_warm_up_is_both_networks_cross_entropy_on_the_same_batches(noisy):
    recipe, context, _ = split_of(noisy)
    (work,) = recipe.warm_up(context)
    assert work.trains == (0, 1) and sorted(work.streams[0].rows) == list(range(ROWS))
    networks = [make_network(recipe, CLASSES).eval() for _ in range(2)]
    with torch.no_grad():
        networks[1].classifier.weight.mul_(-2)
    step = make_step(work, networks, {"all": [5, 6, 7]})
    (term,) = work.objective(step)
    labels = context.targets[[5, 6, 7]]
    expected = sum(
        functional.cross_entropy(net(step.batches["all"].views[0]), labels, reduction="none")
        for net in networks
    )
    torch.testing.assert_close(term.values, expected)


@pytest.mark.parametrize("swap", [True, False])
@pytest.mark.parametrize("mixture", MIXTURES)
def test_each_networks_loss_is_weighed_by_the_others_decision(noisy, mixture, swap):
    recipe, context, split = split_of(noisy, mixture=mixture, swap=swap, agreement_weight=3.0)
    rows = list(range(0, 60, 3))
    _, logits, (weighted, agreement) = one_step(recipe, context, split, rows)
    labels = context.targets[rows]
    decided = torch.tensor(
        [
            [
                np.clip(naive_weight(mixture, net, row, logits[net][i], noisy), 1e-4, 1 - 1e-4)
                for i, row in enumerate(rows)
            ]
            for net in (0, 1)
        ],
        dtype=torch.float32,
    )
    assert (decided[0] - decided[1]).abs().max() > 0.01
    losses = [functional.cross_entropy(z, labels, reduction="none") for z in logits]
    first, second = (1, 0) if swap else (0, 1)
    expected = decided[first] * losses[0] + decided[second] * losses[1]
    torch.testing.assert_close(weighted.values, expected)
    apart = functional.mse_loss(*(z.softmax(1) for z in logits), reduction="none").mean(1)
    torch.testing.assert_close(agreement.values, apart)
    assert (weighted.weight, agreement.weight) == (1.0, 3.0)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_weights_carry_no_gradient(noisy, mixture):
    recipe, context, split = split_of(noisy, mixture=mixture, agreement_weight=0.0)
    rows = list(range(12))
    networks, logits, (weighted,) = one_step(recipe, context, split, rows)
    weighted.values.sum().backward()
    found = networks[0].classifier.bias.grad
    labels = functional.one_hot(context.targets[rows], CLASSES)
    weights = torch.tensor(
        [
            np.clip(naive_weight(mixture, 1, row, logits[1][i], noisy), 1e-4, 1 - 1e-4)
            for i, row in enumerate(rows)
        ],
        dtype=torch.float32,
    )
    expected = (weights[:, None] * (logits[0].softmax(1) - labels)).sum(0)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_training_from_the_partition_file_is_the_same(noisy, mixture, tmp_path):
    recipe, context, split = split_of(noisy, mixture=mixture)
    write_partition(split[0], IDS, NAMES, tmp_path / "partition.parquet")
    again = read_partition(tmp_path / "partition.parquet", NAMES, IDS)
    values = [
        one_step(recipe, context, (partition, split[1]), list(range(40)))[2][0].values
        for partition in (split[0], again)
    ]
    assert torch.equal(values[0], values[1])
    relabelled = recipe.relabel(again, context.observed)
    for field in dataclasses.fields(relabelled):
        np.testing.assert_array_equal(
            getattr(relabelled, field.name), getattr(split[1], field.name)
        )


@pytest.mark.parametrize("mixture", MIXTURES)
def test_wrong_labels_are_found_and_the_table_says_what_the_networks_prefer(noisy, mixture):
    observed, truth, logits = noisy
    _, _, (partition, found) = split_of(noisy, mixture=mixture)
    clean = partition.clean_probability.mean(axis=0)
    assert ((clean > partition.threshold) == (truth == observed)).mean() > 0.95
    np.testing.assert_allclose(found.weight, clean, atol=1e-6)
    kept = clean > 0.5
    assert (found.action[kept] == "keep").all() and (found.label[kept] == observed[kept]).all()
    mean = softmax(logits).mean(axis=0)
    np.testing.assert_array_equal(found.label[~kept], mean[~kept].argmax(axis=1))
    assert ((found.action == "relabel") == (found.label != observed)).all()
    np.testing.assert_allclose(found.distribution.sum(axis=1), 1, atol=1e-5)


def test_scores_are_similarities_except_where_the_mixture_is_over_losses(noisy):
    observed, _, logits = noisy
    expected = [similarity_score(softmax(z), observed) for z in logits]
    for mixture in ("beta", "per_class", "identity"):
        partition = split_of(noisy, mixture=mixture)[2][0]
        np.testing.assert_allclose(partition.score, expected, rtol=1e-6)
        assert partition.score_name == Resup.score_name
    of_losses = split_of(noisy, mixture="gmm_loss")[2][0]
    assert "cross-entropy" in of_losses.score_name
    losses = [scale_to_unit(cross_entropy_score(z, observed)) for z in logits]
    np.testing.assert_allclose(of_losses.score, losses, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_predictions_that_tell_nothing_trust_every_label_or_weigh_all_alike(noisy, mixture):
    observed = noisy[0]
    flat = (observed, observed, np.zeros((2, ROWS, CLASSES), dtype=np.float32))
    recipe, context, split = split_of(flat, mixture=mixture)
    expected = 0.5 if mixture == "identity" else 1.0  # 1 / sqrt(4)
    np.testing.assert_allclose(split[0].clean_probability, expected)
    _, _, terms = one_step(recipe, context, split, [0, 1, 2])
    assert all(torch.isfinite(term.values).all() for term in terms)


def test_a_class_of_one_row_and_an_absent_one(noisy):
    observed, truth, logits = noisy
    observed = np.where(observed >= 2, 0, observed)
    observed[7] = 2
    recipe, context, split = split_of((observed, truth, logits), mixture="per_class")
    assert (split[0].clean_probability[:, 7] == 1).all()
    _, _, terms = one_step(recipe, context, split, [5, 6, 7])
    assert torch.isfinite(terms[0].values).all()


def test_the_first_network_alone_predicts_where_asked(noisy):
    seen = Observation(noisy[2])
    mean, first = (
        Resup(ResupSettings(test_network=name)).predict(seen, {}) for name in ("mean", "first")
    )
    np.testing.assert_allclose(first, torch.from_numpy(noisy[2][0]).softmax(1), atol=1e-6)
    both = torch.from_numpy(noisy[2].mean(axis=0)).softmax(1)
    np.testing.assert_allclose(mean, both, atol=1e-6)
