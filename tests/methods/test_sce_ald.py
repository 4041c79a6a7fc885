"""SCE-ALD: who trains on what, what a partition says, and what the switches do."""

from __future__ import annotations

import dataclasses

import numpy as np
import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ferclean.config.methods import inputs_of
from ferclean.config.methods.sce_ald import SceAldSettings
from ferclean.config.training import TrainingSettings
from ferclean.methods.base import Context
from ferclean.methods.sce_ald import SceAld
from ferclean.partition.transport import ground_cost
from ferclean.train.observe import Observation
from ferclean.train.passes import Batch, Step

ROWS, CLASSES = 30, 3


def make_context(seed=0, **changes):
    rng = np.random.default_rng(seed)
    observed = np.concatenate([np.arange(CLASSES), rng.integers(0, CLASSES, ROWS - CLASSES)])
    side = {
        "semantic_similarity": rng.uniform(-1, 1, (ROWS, CLASSES)).astype(np.float32),
        "word_vectors": np.array([[1.0, 0.0], [0.9, 0.4], [-0.8, 0.6]]),
    }
    training = TrainingSettings(batch_size=8)
    made = Context(observed, CLASSES, 0, training, torch.device("cpu"), side)
    return dataclasses.replace(made, **changes)


def look(seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(1, ROWS, CLASSES)).astype(np.float32)
    features = rng.gamma(1.0, size=(1, ROWS, 4)).astype(np.float32)
    return Observation(logits, {"features": features}, 5)


def recipe(**changes):
    return SceAld(SceAldSettings(**changes))


def divide(made, context, memory=None):
    return made.partition(look(), context, memory or made.start_memory(context))


def cosines(features, points):
    return np.array(
        [[f @ p / np.linalg.norm(f) / np.linalg.norm(p) for p in points] for f in features]
    )


def test_the_defaults_are_the_published_ones():
    settings = SceAldSettings()
    assert (settings.beta, settings.exponent, settings.temperature) == (0.7, 1.0, 0.1)
    assert (settings.transport, settings.distance) == ("semantic", "l2norm")
    assert not settings.leave_one_out and not settings.confidence_in_loss
    assert inputs_of("sce_ald") == ("semantic_similarity", "word_vectors")
    assert SceAld.networks == 1


def test_warm_up_is_cross_entropy_on_all_rows():
    context = make_context()
    (work,) = recipe().warm_up(context)
    assert work.kind == "cross_entropy" and work.trains == (0,)
    assert work.streams[0].rows.tolist() == list(range(ROWS))


def test_a_partition_holds_equations_3_to_6():
    context, features = make_context(), look().outputs["features"][0].astype(float)
    memory = {"confidence": np.linspace(0.5, 2.0, ROWS).astype(np.float32)}
    found = divide(recipe(), context, memory)
    weight, observed = memory["confidence"].astype(float), context.observed
    old = np.array(
        [
            np.average(features[observed == k], axis=0, weights=weight[observed == k])
            for k in range(3)
        ]
    )
    task = cosines(features, old)
    np.testing.assert_allclose(found.evidence["task_similarity"], task, atol=1e-5)
    shares = [np.exp(g / 0.1) for g in (context.side["semantic_similarity"].astype(float), task)]
    shares = [s / s.sum(axis=1, keepdims=True) for s in shares]
    cost = ground_cost(context.side["word_vectors"])
    distance = [ot.emd2(a / a.sum(), b / b.sum(), cost) for a, b in zip(*shares, strict=True)]
    np.testing.assert_allclose(found.score[0], distance, atol=1e-4)
    alpha = 1 / (found.score[0].astype(float) + 0.01)
    np.testing.assert_allclose(found.evidence["confidence"], alpha, rtol=1e-4)
    new = np.array(
        [
            np.average(features[observed == k], axis=0, weights=alpha[observed == k])
            for k in range(3)
        ]
    )
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (features, new)]
    inverse = 1 / (np.square(unit[0][:, None] - unit[1][None]).sum(axis=2) + 1e-8)
    amended = inverse / inverse.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.evidence["amended"], amended, atol=1e-4)
    np.testing.assert_array_equal(
        found.evidence["semantic_similarity"], context.side["semantic_similarity"]
    )
    entropy = -(amended * np.log(amended)).sum(axis=1).mean()
    assert found.parameters["net_0"]["mean_label_entropy"] == pytest.approx(entropy, abs=1e-3)


@pytest.mark.parametrize(
    ("transport", "largest"), [("semantic", 1.0), ("sample", 2.0), ("index", CLASSES - 1.0)]
)
def test_the_confidence_is_equation_4_with_a_hundredth_of_the_largest_distance(transport, largest):
    context = make_context()
    found = divide(recipe(transport=transport), context)
    alpha = [1 / (distance + 0.01 * largest) for distance in found.score[0].astype(float)]
    middle = np.median(alpha)
    clipped = np.clip(alpha, 0.01 * middle, 100 * middle)
    np.testing.assert_allclose(found.evidence["confidence"], clipped, rtol=1e-4)


def test_confidence_is_handed_on_to_the_next_epoch_and_starts_at_one():
    made, context = recipe(), make_context()
    memory = made.start_memory(context)
    assert memory["confidence"].tolist() == [1.0] * ROWS
    first = divide(made, context, memory)
    later = made.remember(memory, first)
    np.testing.assert_array_equal(later["confidence"], first.evidence["confidence"])
    second = divide(made, context, later)
    before, after = (p.evidence["task_similarity"] for p in (first, second))
    assert np.abs(before - after).max() > 1e-4


def test_a_label_is_called_wrong_where_another_prototype_is_nearer():
    made, context = recipe(), make_context()
    found = divide(made, context)
    nearest = found.evidence["amended"].argmax(axis=1)
    wrong = found.clean_probability[0] <= found.threshold
    np.testing.assert_array_equal(wrong, nearest != context.observed)
    decided = made.relabel(found, context.observed)
    np.testing.assert_array_equal(decided.label, nearest)
    np.testing.assert_array_equal(decided.action == "relabel", nearest != context.observed)
    np.testing.assert_array_equal(decided.distribution, found.evidence["amended"])


def losses_of(made, context):
    found = divide(made, context)
    (work,) = made.epoch(6, context, (found, made.relabel(found, context.observed)))
    assert work.trains == (0,) and work.streams[0].rows.tolist() == list(range(ROWS))
    rows = torch.tensor([4, 9, 1])
    logits = torch.tensor([[1.0, 0.0, -1.0], [0.3, 0.2, 0.1], [0.0, 2.0, 0.0]], requires_grad=True)
    batch = {"all": Batch(rows, (torch.zeros(3, 1, 2, 2),))}
    step = Step(batch, (lambda pictures: logits,), 6.0, None, None)
    return work.objective(step), torch.log_softmax(logits, dim=1).detach(), rows, found


@pytest.mark.parametrize("beta", [0.7, 0.2])
def test_the_loss_is_equation_7(beta):
    context = make_context()
    terms, logs, rows, found = losses_of(recipe(beta=beta), context)
    total = sum(term.weight * term.values for term in terms).detach()
    y = torch.eye(3)[torch.from_numpy(context.observed)[rows]]
    amended = torch.from_numpy(found.evidence["amended"])[rows]
    target = beta * y + (1 - beta) * amended  # cross-entropy is linear in its target
    torch.testing.assert_close(total, -(target * logs).sum(dim=1))


def test_confidence_may_weigh_the_loss_with_mean_one():
    context = make_context()
    plain, _, rows, found = losses_of(recipe(), context)
    weighed, *_ = losses_of(recipe(confidence_in_loss=True), context)
    alpha = found.evidence["confidence"]
    factor = torch.from_numpy(alpha / alpha.mean())[rows]
    for one, other in zip(plain, weighed, strict=True):
        torch.testing.assert_close(other.values, factor * one.values)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"transport": "sample"}, "confidence"),
        ({"transport": "index"}, "confidence"),
        ({"temperature": 1.0}, "confidence"),
        ({"distance": "raw"}, "amended"),
        ({"exponent": 3.0}, "amended"),
        ({"leave_one_out": True}, "amended"),
    ],
)
def test_every_switch_reaches_the_evidence(changes, name):
    context = make_context()
    plain, other = divide(recipe(), context), divide(recipe(**changes), context)
    assert not np.allclose(plain.evidence[name], other.evidence[name])


def test_word_vectors_decide_what_a_disagreement_costs():
    context = make_context()
    words = {**context.side, "word_vectors": np.eye(3)}
    plain, other = divide(recipe(), context), divide(recipe(), make_context(side=words))
    assert not np.allclose(plain.score, other.score)


@given(st.sampled_from(["semantic", "sample", "index"]), st.integers(1, CLASSES))
def test_missing_classes_leave_everything_finite(transport, present):
    context = make_context()
    context = dataclasses.replace(context, observed=context.observed % present)
    made = recipe(transport=transport)
    found = divide(made, context)
    for values in (found.score, found.clean_probability, *found.evidence.values()):
        assert np.isfinite(values).all()
    assert not found.evidence["amended"][:, present:].any()
    assert (made.relabel(found, context.observed).label < present).all()


def test_an_epoch_without_partition_is_refused():
    with pytest.raises(ValueError, match="partition"):
        recipe().epoch(5, make_context(), None)
