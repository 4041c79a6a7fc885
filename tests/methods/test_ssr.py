import numpy as np
import pytest
import torch
from torch import nn

from ferclean.config.methods.ssr import SsrSettings
from ferclean.methods.ssr import Ssr
from ferclean.tables.partitions import read_partition, write_partition
from ferclean.train.mixup import draw_coefficient, draw_partners
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_heads, make_network, make_step

CLASSES = 3


@pytest.fixture
def noisy():
    """Features know the truth; the classifier is sure of the first fifty rows only."""
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [120, 60, 20])
    truth = random.permutation(truth)
    wrong = random.random(200) < 0.25
    observed = np.where(wrong, (truth + random.integers(1, CLASSES, size=200)) % CLASSES, truth)
    features = 4 * np.eye(CLASSES, 8)[truth] + random.normal(size=(200, 8))
    logits = np.zeros((1, 200, CLASSES), dtype=np.float32)
    logits[0, np.arange(50), truth[:50]] = 6.0
    seen = Observation(logits, {"features": features.astype(np.float32)[None]}, 3)
    return truth, observed, seen


def partition_of(noisy, **settings):
    _, observed, seen = noisy
    recipe, context = Ssr(SsrSettings(neighbours=15, **settings)), make_context(observed, CLASSES)
    return recipe, context, recipe.partition(seen, context, {})


def test_the_codes_constants_are_the_defaults():
    own = SsrSettings()
    assert (own.relabel_threshold, own.select_threshold, own.neighbours) == (0.9, 1.0, 200)
    assert (own.alpha, own.consistency_weight, own.balanced_vote) == (4.0, 0.0, True)


def test_rows_that_the_classifier_is_sure_of_are_relabelled_and_no_others(noisy):
    truth, observed, _ = noisy
    _, _, found = partition_of(noisy)
    np.testing.assert_array_equal(found.evidence["relabelled"][:50], truth[:50])
    np.testing.assert_array_equal(found.evidence["relabelled"][50:], observed[50:])
    _, _, never = partition_of(noisy, relabel_threshold=1.0)
    np.testing.assert_array_equal(never.evidence["relabelled"], observed)


@pytest.mark.parametrize("weights", ["similarity", "uniform"])
@pytest.mark.parametrize("balanced", [True, False])
def test_selected_is_whose_label_wins_the_vote_of_its_neighbours(noisy, weights, balanced):
    features = noisy[2].outputs["features"][0].astype(np.float64)
    _, _, found = partition_of(noisy, vote_weights=weights, balanced_vote=balanced)
    label = found.evidence["relabelled"]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    share = np.bincount(label) / 200
    for row in range(200):
        cosine = unit @ unit[row]
        cosine[row] = -2
        votes = np.zeros(CLASSES)
        for j in np.argsort(-cosine)[:15]:
            votes[label[j]] += max(cosine[j], 0) if weights == "similarity" else 1
        votes = votes / share if balanced else votes
        np.testing.assert_allclose(found.evidence["vote"][row], votes / votes.sum(), atol=1e-5)
        ordered = np.sort(votes)
        if ordered[-1] - ordered[-2] > 1e-4:
            assert found.evidence["selected"][row] == (votes.argmax() == label[row])


def test_a_lower_threshold_selects_more_rows(noisy):
    selected = [
        partition_of(noisy, select_threshold=theta)[2].evidence["selected"] for theta in (1, 0.3, 0)
    ]
    assert (selected[0] <= selected[1]).all() and selected[2].all()
    assert selected[0].sum() < selected[1].sum() < 200


def test_wrong_labels_are_found_and_repaired(noisy, tmp_path):
    truth, observed, _ = noisy
    recipe, _, found = partition_of(noisy)
    called_wrong = found.clean_probability[0] <= found.threshold
    assert (called_wrong == (truth != observed)).mean() > 0.95
    relabelled_elsewhere = found.evidence["relabelled"] != observed
    assert relabelled_elsewhere.any() and called_wrong[relabelled_elsewhere].all()
    names, ids = ("a", "b", "c"), np.array([f"s{i:03d}" for i in range(200)])
    write_partition(found, ids, names, tmp_path / "partition.parquet")
    again = recipe.relabel(read_partition(tmp_path / "partition.parquet", names, ids), observed)
    assert (again.label == truth).mean() > 0.95
    np.testing.assert_array_equal(again.weight, found.evidence["selected"])
    np.testing.assert_allclose(again.distribution.sum(axis=1), 1, atol=1e-5)


def test_a_label_that_the_classifier_changed_is_called_wrong_though_neighbours_back_it(noisy):
    seen = noisy[2]
    recipe, context, before = partition_of(noisy)
    row = int(before.clean_probability[0, :50].argmax())
    logits = seen.logits.copy()
    logits[0, row] = np.roll(logits[0, row], 1)  # as sure as before, of another class
    found = recipe.partition(Observation(logits, seen.outputs, seen.epoch), context, {})
    assert found.score[0, row] == before.score[0, row] > 0.8
    assert found.clean_probability[0, row] < 0.1 < before.clean_probability[0, row]


def test_selected_rows_are_drawn_class_by_class_alike_and_anew_each_epoch(noisy):
    recipe, context, found = partition_of(noisy)
    drawn = []
    for number in (3, 3, 4):
        (work,) = recipe.epoch(number, context, (found, None))
        (stream,) = work.streams
        assert (stream.views, stream.strong_views, len(stream.rows)) == (0, 2, 200)
        assert found.evidence["selected"][stream.rows].all()
        counts = np.bincount(found.evidence["relabelled"][stream.rows], minlength=CLASSES)
        assert np.ptp(counts) <= 1
        drawn.append(stream.rows)
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_mixup_of_both_strong_views_with_the_new_labels(noisy):
    recipe, context, found = partition_of(noisy)
    (work,) = recipe.epoch(3, context, (found, None))
    network = make_network(recipe, CLASSES).eval()
    rows = work.streams[0].rows[:5].tolist()
    step = make_step(work, [network], {"selected": rows})
    (term,) = work.objective(make_step(work, [network], {"selected": rows}))
    pictures = torch.cat(step.batches["selected"].strong)
    labels = torch.eye(CLASSES)[found.evidence["relabelled"][rows * 2]]
    share, partners = draw_coefficient(4.0, step.random), draw_partners(10, step.generator)
    mixed = share * pictures + (1 - share) * pictures[partners]
    target = share * labels + (1 - share) * labels[partners]
    expected = -(target * network(mixed).log_softmax(1)).sum(1)
    torch.testing.assert_close(term.values, expected)


def test_consistency_pulls_the_strong_view_of_any_row_to_the_weak_one(noisy):
    recipe, context, found = partition_of(noisy, consistency_weight=0.7)
    (work,) = recipe.epoch(3, context, (found, None))
    all_rows = work.streams[1]
    assert (all_rows.name, all_rows.views, all_rows.strong_views) == ("all", 1, 1)
    assert sorted(all_rows.rows) == list(range(200))
    network = make_network(recipe, CLASSES)
    step = make_step(work, [network], {"selected": [0, 1, 2], "all": [9, 8, 7, 6]})
    term = work.objective(step)[1]
    assert (term.name, term.weight, term.values.shape) == ("consistency", 0.7, (4,))
    projector, predictor = network.heads["projector"], network.heads["predictor"]
    weak, strong = step.batches["all"].views[0], step.batches["all"].strong[0]
    target = projector(network.features(weak))
    predicted = predictor(projector(network.features(strong)))
    torch.testing.assert_close(
        term.values, -nn.CosineSimilarity()(predicted, target), atol=1e-4, rtol=1e-4
    )
    # No gradient through the weak view: its projection alone gives none.
    network.zero_grad()
    term.values.sum().backward()
    own = [p.grad.clone() for p in projector.parameters()]
    network.zero_grad()
    (-nn.CosineSimilarity()(predicted, target.detach())).sum().backward()
    for found_grad, parameter in zip(own, projector.parameters(), strict=True):
        torch.testing.assert_close(found_grad, parameter.grad, atol=1e-4, rtol=1e-3)


def test_without_consistency_there_are_no_heads(noisy):
    assert make_heads(Ssr(SsrSettings()), 3, 8) == {}
    heads = make_heads(Ssr(SsrSettings(consistency_weight=1.0)), 3, 8)
    shapes = {name: [head[0].weight.shape, head[3].weight.shape] for name, head in heads.items()}
    assert shapes == {"projector": [(256, 8), (128, 256)], "predictor": [(256, 128), (128, 256)]}


def test_warm_up_trains_on_all_rows_with_their_observed_labels(noisy):
    _, observed, _ = noisy
    recipe = Ssr(SsrSettings())
    (work,) = recipe.warm_up(make_context(observed, CLASSES))
    assert sorted(work.streams[0].rows) == list(range(200))
    network = make_network(recipe, CLASSES).eval()
    step = make_step(work, [network], {"selected": [3, 8, 150]})
    (term,) = work.objective(make_step(work, [network], {"selected": [3, 8, 150]}))
    share, partners = draw_coefficient(4.0, step.random), draw_partners(6, step.generator)
    pictures = torch.cat(step.batches["selected"].strong)
    labels = torch.eye(CLASSES)[observed[[3, 8, 150] * 2]]
    mixed, target = (share * v + (1 - share) * v[partners] for v in (pictures, labels))
    torch.testing.assert_close(term.values, -(target * network(mixed).log_softmax(1)).sum(1))


def test_nothing_selected_falls_back_to_cross_entropy(noisy):
    recipe, context, found = partition_of(noisy)
    found.evidence["selected"][:] = False
    (work,) = recipe.epoch(3, context, (found, None))
    assert work.kind == "nothing_selected" and len(work.streams[0].rows) == 200


def test_fewer_rows_than_neighbours(noisy):
    seen = Observation(noisy[2].logits[:, :4], {"features": noisy[2].outputs["features"][:, :4]}, 3)
    found = Ssr(SsrSettings()).partition(seen, make_context(np.array([0, 1, 2, 0]), CLASSES), {})
    assert np.isfinite(found.clean_probability).all()
