import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.scn import ScnSettings
from ferclean.losses.importance import cured_labels, low_importance, rank_regularisation
from ferclean.methods.scn import Scn
from ferclean.tables.partitions import read_partition, write_partition
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES, ROWS = 3, 24
OBSERVED = np.arange(ROWS) % CLASSES


def one_step(recipe, rows, network=None, epoch=5.0):
    context = make_context(OBSERVED, CLASSES)
    (work,) = recipe.epoch(4, context, None)
    network = network or make_network(recipe, CLASSES).eval()
    memory = {k: torch.from_numpy(v) for k, v in recipe.start_memory(context).items()}
    step = make_step(work, [network], {"all": rows}, memory, epoch=epoch)
    terms = work.objective(step)
    found = network.outputs(step.batches["all"].views[0], ("importance",))
    alpha = found["importance"][:, 0]
    return terms, memory["labels"], alpha, alpha[:, None] * found["logits"], network


def sharp_network(recipe):
    """Logits and importances that differ between faces."""
    network = make_network(recipe, CLASSES).eval()
    for layer, factor in ((network.classifier, 50.0), (network.heads["importance"][0], 20.0)):
        torch.nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(3))
        layer.weight.data *= factor
    return network


def test_the_codes_constants_are_the_defaults():
    own = ScnSettings()
    assert (own.high_share, own.rank_margin, own.relabel_margin) == (0.7, 0.15, 0.2)
    assert (own.relabel_epoch, own.combine, own.rank_weight) == (10, "sum", 0.5)
    assert own.relabel_rule == "paper"


@pytest.mark.parametrize(("combine", "weights"), [("sum", (1, 1)), ("weighted", (0.7, 0.3))])
def test_importance_scales_the_logits_and_is_ranked(combine, weights):
    recipe, rows = Scn(ScnSettings(combine=combine, rank_weight=0.3)), list(range(10))
    (entropy, rank), _, alpha, logits, _ = one_step(recipe, rows, sharp_network(recipe))
    labels = torch.from_numpy(OBSERVED[rows])
    torch.testing.assert_close(
        entropy.values, functional.cross_entropy(logits, labels, reduction="none")
    )
    low = low_importance(alpha, 0.7)
    assert int(low.sum()) == 3
    torch.testing.assert_close(rank.values, rank_regularisation(alpha, low, 0.15))
    assert (entropy.weight, rank.weight) == weights


@pytest.mark.parametrize("rule", ["paper", "code"])
def test_labels_change_for_good_after_the_loss(rule):
    recipe, rows = Scn(ScnSettings(relabel_rule=rule, relabel_epoch=6)), list(range(3, 17))
    (entropy, _), current, alpha, logits, _ = one_step(recipe, rows, sharp_network(recipe))
    labels = torch.from_numpy(OBSERVED)
    torch.testing.assert_close(
        entropy.values, functional.cross_entropy(logits, labels[rows], reduction="none")
    )
    allowed = low_importance(alpha, 0.7) if rule == "paper" else torch.ones(14, dtype=torch.bool)
    expected = labels.clone()
    expected[rows] = cured_labels(logits, labels[rows], allowed, 0.2)
    assert torch.equal(current, expected)
    changed = int((current != labels).sum())
    assert 0 < changed <= (4 if rule == "paper" else 14)


@pytest.mark.parametrize(("epoch", "changes"), [(0.0, False), (5.9, False), (6.0, True),
                                                (6.5, True), (40.0, True)])  # fmt: skip
def test_no_label_changes_before_the_epoch_counted_from_one(epoch, changes):
    recipe = Scn(ScnSettings(relabel_rule="code", relabel_epoch=7))
    _, current, *_ = one_step(recipe, list(range(14)), sharp_network(recipe), epoch)
    assert torch.equal(current, torch.from_numpy(OBSERVED)) is not changes


def test_changed_labels_are_what_training_sees_next():
    recipe, context = Scn(ScnSettings()), make_context(OBSERVED, CLASSES)
    (work,) = recipe.warm_up(context)
    network = make_network(recipe, CLASSES).eval()
    memory = {"labels": torch.from_numpy((OBSERVED + 1) % CLASSES)}
    step = make_step(work, [network], {"all": [0, 1]}, memory)
    found = network.outputs(step.batches["all"].views[0], ("importance",))
    logits = found["importance"] * found["logits"]
    expected = functional.cross_entropy(logits, torch.tensor([1, 2]), reduction="none")
    torch.testing.assert_close(work.objective(step)[0].values, expected)


def make_observation(importance=0.5):
    logits = np.zeros((1, ROWS, CLASSES), dtype=np.float32)
    logits[0, np.arange(ROWS), OBSERVED] = np.linspace(-3, 3, ROWS)
    alpha = np.full((1, ROWS, 1), importance, dtype=np.float32)
    return Observation(logits, {"importance": alpha}, 12, 5)


def test_the_cut_off_is_the_relabelling_and_the_margin_ranks_within(tmp_path):
    recipe, context = Scn(ScnSettings()), make_context(OBSERVED, CLASSES)
    current = OBSERVED.copy()
    current[[2, 20]] = (current[[2, 20]] + 1) % CLASSES
    found = recipe.partition(make_observation(), context, {"labels": current})
    clean = found.clean_probability[0]
    assert np.flatnonzero(clean <= found.threshold).tolist() == [2, 20]
    kept = np.setdiff1d(np.arange(ROWS), [2, 20])
    assert (np.diff(clean[kept]) > 0).all() and clean[2] < clean[20]
    names, ids = ("a", "b", "c"), np.array([f"s{i:02d}" for i in range(ROWS)])
    write_partition(found, ids, names, tmp_path / "partition.parquet")
    again = recipe.relabel(read_partition(tmp_path / "partition.parquet", names, ids), OBSERVED)
    np.testing.assert_array_equal(again.label, current)
    np.testing.assert_array_equal(again.distribution, np.eye(CLASSES)[current])
    assert set(again.action[kept]) == {"keep"} and set(again.action[[2, 20]]) == {"relabel"}


def test_the_clean_probability_is_half_a_margin_in_the_lower_or_the_upper_half():
    """``(1 + p_y - max_k p_k) / 4``, and one half more where the label was not changed."""
    recipe, seen = Scn(ScnSettings()), make_observation(0.6)
    current = np.where(np.arange(ROWS) % 5, OBSERVED, (OBSERVED + 1) % CLASSES)
    found = recipe.partition(seen, make_context(OBSERVED, CLASSES), {"labels": current})
    for row, label in enumerate(OBSERVED):
        powers = np.exp(0.6 * seen.logits[0, row].astype(float))
        p = powers / powers.sum()
        margin = p[label] - max(p[k] for k in range(CLASSES) if k != label)
        expected = (1 + margin) / 4 + 0.5 * (current[row] == label)
        assert found.clean_probability[0, row] == pytest.approx(expected, abs=1e-6)
        assert found.score[0, row] == pytest.approx(margin, abs=1e-6)


def test_an_unchanged_label_stays_above_the_cut_off_however_unlikely():
    seen = make_observation(1.0)
    seen.logits[0, 0] = [-500.0, 500.0, 0.0]
    found = Scn(ScnSettings()).partition(
        seen, make_context(OBSERVED, CLASSES), {"labels": OBSERVED}
    )
    assert (found.clean_probability > found.threshold).all()


def test_predictions_use_the_importance_and_doubt_is_its_lack():
    recipe, seen = Scn(ScnSettings()), make_observation(0.25)
    expected = torch.softmax(0.25 * torch.from_numpy(seen.logits[0]), dim=1)
    np.testing.assert_allclose(recipe.predict(seen, {}), expected, rtol=1e-5)
    assert recipe.uncertainty(seen)["unimportance"].tolist() == [0.75] * ROWS
