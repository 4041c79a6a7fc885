import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.smp import SmpSettings
from ferclean.methods.smp import Smp
from ferclean.partition.prototypes import class_prototypes, class_similarity
from ferclean.tables.partitions import read_partition, write_partition
from ferclean.train.observe import Observation
from ferclean.train.seeds import derive_seed
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES = 4


@pytest.fixture
def noisy():
    """Features that know the truth, logits that know nothing."""
    random = np.random.default_rng(0)
    truth = random.integers(CLASSES, size=200)
    wrong = random.random(200) < 0.3
    observed = np.where(wrong, (truth + random.integers(1, CLASSES, size=200)) % CLASSES, truth)
    features = 4 * np.eye(CLASSES, 16)[truth] + random.normal(size=(200, 16))
    logits = random.normal(size=(1, 200, CLASSES)).astype(np.float32)
    return truth, observed, Observation(logits, {"features": features.astype(np.float32)[None]}, 7)


def test_the_papers_constants_are_the_defaults():
    own = SmpSettings()
    assert (own.samples, own.prototypes_per_class, own.corrected_weight) == (1280, 8, 0.5)
    assert (own.density_quantile, own.diversity_limit) == (0.4, 0.95)
    assert own.prototypes == "density_peaks"


def test_partition_is_the_similarity_to_prototypes_of_the_epochs_own_draw(noisy):
    truth, observed, seen = noisy
    recipe, context = Smp(SmpSettings(samples=20)), make_context(observed, CLASSES)
    found = recipe.partition(seen, context, {})
    features = seen.outputs["features"][0]
    prototypes = class_prototypes(
        features,
        observed,
        classes=CLASSES,
        samples=20,
        count=8,
        rule="density_peaks",
        quantile=0.4,
        limit=0.95,
        seed=derive_seed(0, "prototypes", 7),
    )
    expected = class_similarity(features, prototypes)
    np.testing.assert_array_equal(found.evidence["prototype_similarity"], expected)
    later = recipe.partition(Observation(seen.logits, seen.outputs, 8), context, {})
    assert not np.array_equal(later.score, found.score)
    assert (found.evidence["corrected_label"] == truth).mean() > 0.9 > (observed == truth).mean()


@pytest.mark.parametrize(
    "changes",
    [
        {"prototypes_per_class": 3},
        {"prototypes": "k_means"},
        {"prototypes": "euclidean_density_peaks"},
        {"density_quantile": 0.9},
        {"diversity_limit": 0.5},
    ],
)
def test_every_setting_of_the_prototypes_reaches_the_similarities(noisy, changes):
    _, observed, seen = noisy
    context = make_context(observed, CLASSES)
    plain, other = (
        Smp(SmpSettings(**own)).partition(seen, context, {}).evidence["prototype_similarity"]
        for own in ({}, changes)
    )
    assert np.abs(plain - other).max() > 1e-3


def test_a_label_is_called_wrong_where_the_corrected_one_differs(noisy):
    _, observed, seen = noisy
    found = Smp(SmpSettings()).partition(seen, make_context(observed, CLASSES), {})
    changed = found.evidence["corrected_label"] != observed
    assert changed.any() and not changed.all()
    np.testing.assert_array_equal(found.clean_probability[0] <= found.threshold, changed)
    order = np.argsort(found.score[0])
    assert (np.diff(found.clean_probability[0][order]) >= 0).all()


@pytest.mark.parametrize("temperature", [0.1, 0.7])
def test_the_clean_probability_is_the_share_against_the_strongest_rival(noisy, temperature):
    """``exp(s_y / T) / (exp(s_y / T) + max_k exp(s_k / T))``; labels are the whole softmax."""
    _, observed, seen = noisy
    recipe = Smp(SmpSettings(temperature=temperature))
    found = recipe.partition(seen, make_context(observed, CLASSES), {})
    distribution = recipe.relabel(found, observed).distribution
    for row, similarity in enumerate(found.evidence["prototype_similarity"].astype(float)):
        powers = np.exp(similarity / temperature)
        own, rival = powers[observed[row]], np.delete(powers, observed[row]).max()
        assert found.clean_probability[0, row] == pytest.approx(own / (own + rival), rel=1e-5)
        np.testing.assert_allclose(distribution[row], powers / powers.sum(), rtol=1e-4)
        margin = similarity[observed[row]] - np.delete(similarity, observed[row]).max()
        assert found.score[0, row] == pytest.approx(margin, abs=1e-6)


def test_relabelling_needs_the_partition_file_only_and_gives_the_corrected_label(noisy, tmp_path):
    _, observed, seen = noisy
    recipe = Smp(SmpSettings())
    found = recipe.partition(seen, make_context(observed, CLASSES), {})
    names, ids = ("a", "b", "c", "d"), np.array([f"s{i:03d}" for i in range(200)])
    write_partition(found, ids, names, tmp_path / "partition.parquet")
    again = recipe.relabel(read_partition(tmp_path / "partition.parquet", names, ids), observed)
    np.testing.assert_array_equal(again.label, found.evidence["corrected_label"])
    np.testing.assert_array_equal(again.distribution, recipe.relabel(found, observed).distribution)
    assert ((again.action == "relabel") == (again.label != observed)).all()
    np.testing.assert_allclose(again.distribution.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_both_labels_train_all_rows_each_by_its_own_row(noisy, alpha):
    _, observed, seen = noisy
    recipe, context = Smp(SmpSettings(corrected_weight=alpha)), make_context(observed, CLASSES)
    partition = recipe.partition(seen, context, {})
    (work,) = recipe.epoch(7, context, (partition, None))
    assert sorted(work.streams[0].rows) == list(range(200))
    network = make_network(recipe, CLASSES).eval()
    step = make_step(work, [network], {"all": [5, 190, 3, 77]})
    terms = {term.name: term for term in work.objective(step)}
    logits = network(step.batches["all"].views[0])
    for name, labels in (
        ("observed", observed),
        ("corrected", partition.evidence["corrected_label"]),
    ):
        expected = functional.cross_entropy(
            logits, torch.from_numpy(labels[[5, 190, 3, 77]]), reduction="none"
        )
        torch.testing.assert_close(terms[name].values, expected)
    assert (terms["observed"].weight, terms["corrected"].weight) == (1 - alpha, alpha)


def test_warm_up_is_plain_cross_entropy(noisy):
    (work,) = Smp(SmpSettings()).warm_up(make_context(noisy[1], CLASSES))
    assert work.kind == "cross_entropy" and len(work.streams[0].rows) == 200


def test_a_class_without_a_single_row_is_nobodys_corrected_label(noisy):
    _, observed, seen = noisy
    found = Smp(SmpSettings()).partition(seen, make_context(observed, CLASSES + 1), {})
    assert found.evidence["corrected_label"].max() < CLASSES


def test_centred_features_do_not_feel_a_common_offset(noisy):
    _, observed, seen = noisy
    moved = Observation(seen.logits, {"features": seen.outputs["features"] + 20.0}, 7)
    context, shift = make_context(observed, CLASSES), {}
    for centre in (False, True):
        recipe = Smp(SmpSettings(centre_features=centre))
        before, after = (
            recipe.partition(look, context, {}).evidence["prototype_similarity"]
            for look in (seen, moved)
        )
        shift[centre] = np.abs(before - after).max()
    assert shift[True] < 1e-4 and shift[False] > 0.5
