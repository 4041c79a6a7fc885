import numpy as np
import pytest
import torch

from ferclean.audit.auditor import audit_labels
from ferclean.audit.calibration import fit_temperature
from ferclean.audit.translation import directed_share, label_meaning, translate
from ferclean.config.methods.ferclean import FercleanSettings
from ferclean.losses.early_learning import (
    clipped_prediction,
    early_learning_penalty,
    moved_target,
)
from ferclean.methods.ferclean import Ferclean
from ferclean.methods.remedies import direction, human_share, noise_urgency
from ferclean.partition.noise_rate import unlabelled_weight_for
from ferclean.tables.partitions import read_partition, write_partition
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_network, make_step

OBSERVED = np.arange(12) % 3
CONTEXT = make_context(OBSERVED, 3)


def memory_of(recipe, seed=0):
    random = np.random.default_rng(seed)
    return {
        name: random.dirichlet(np.ones(3), 12).astype(np.float32) if "target" in name else values
        for name, values in recipe.start_memory(CONTEXT).items()
    }


def split_of(recipe, measures, seed=1):
    """Split by an audit whose first word was `measures`."""
    logits = np.random.default_rng(seed).normal(size=(recipe.networks, 12, 3)).astype(np.float32)
    memory = {**memory_of(recipe), "measures": np.array(measures)}
    partition = recipe.partition(Observation(logits), CONTEXT, memory)
    return partition, recipe.relabel(partition, OBSERVED)


def tensors(memory):
    return {name: torch.from_numpy(values.copy()) for name, values in memory.items()}


@pytest.mark.parametrize("networks", [1, 3])
def test_each_network_has_a_pass_and_running_targets_of_its_own(networks):
    recipe = Ferclean(FercleanSettings(networks=networks))
    assert recipe.networks == networks
    start = recipe.start_memory(CONTEXT)
    targets = [f"running_target_{net}" for net in range(networks)]
    assert set(start) == {"label_meaning", "measures", "temperature", "directed", *targets}
    assert np.isnan(start["measures"]).all()
    passes = recipe.warm_up(CONTEXT)
    assert [work.trains for work in passes] == [(net,) for net in range(networks)]
    nets = [make_network(recipe, 3).eval() for _ in range(networks)]
    memory = tensors(memory_of(recipe))
    before = {name: values.clone() for name, values in memory.items()}
    step = make_step(passes[-1], nets, {"all": [9, 4]}, memory)
    (term,) = passes[-1].objective(step)
    logits = nets[-1](step.batches["all"].views[0])
    labels = torch.from_numpy(OBSERVED[[9, 4]])
    expected = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(term.values, expected)
    last = f"running_target_{networks - 1}"
    moved = moved_target(before[last][[9, 4]], clipped_prediction(logits), 0.7)
    torch.testing.assert_close(memory[last][[9, 4]], moved)
    assert all(torch.equal(memory[name], before[name]) for name in targets if name != last)


@pytest.mark.parametrize(("share", "urgency"), [(0.0, 1.0), (0.5, 0.8), (1.0, 1.0), (0.9, 0.0)])
def test_labels_are_learnt_with_the_regulariser_in_its_measure(share, urgency):
    recipe = Ferclean(FercleanSettings(regularisation=2.0, momentum=0.6))
    split = split_of(recipe, [share, urgency, 0.8])
    nets = [make_network(recipe, 3).eval() for _ in range(2)]
    memory = tensors(memory_of(recipe))
    before = memory["running_target_1"].clone()
    work = recipe.epoch(7, CONTEXT, split)[1]
    step = make_step(work, nets, {"all": [5, 2]}, memory)
    given, *others = work.objective(step)
    logits = nets[1](step.batches["all"].views[0])
    p = torch.softmax(logits, dim=1).detach().numpy().astype(float)
    for place, row in enumerate([5, 2]):
        expected = -np.log(p[place, OBSERVED[row]])
        assert given.values[place].item() == pytest.approx(expected, rel=1e-4)
    if share * urgency == 0:
        assert others == []
        return
    (regulariser,) = others
    prediction = clipped_prediction(logits)
    moved = moved_target(before[[5, 2]], prediction, 0.6)
    torch.testing.assert_close(regulariser.values, early_learning_penalty(prediction, moved))
    assert regulariser.weight == pytest.approx(2.0 * share * urgency, rel=1e-6)


def test_the_regulariser_can_be_switched_off():
    recipe = Ferclean(FercleanSettings(networks=1, regularisation=0.0))
    nets = [make_network(recipe, 3).eval()]
    work = recipe.epoch(7, CONTEXT, split_of(recipe, [1.0, 1.0, 0.5]))[0]
    terms = work.objective(make_step(work, nets, {"all": [1, 2]}, tensors(memory_of(recipe))))
    assert [term.name for term in terms] == ["given"]


@pytest.mark.parametrize(
    ("settings", "measures", "repairs"),
    [
        ({}, [0.0, 0.9, 0.9], True),
        ({}, [1.0, 0.9, 0.9], True),
        ({}, [0.0, 1.0, 0.83], False),  # suggestions are too often wrong
        ({}, [0.0, 0.0, 0.91], False),  # too often for the little noise there is
        ({}, [0.0, 0.0, 0.93], True),
        ({}, [0.0, 0.5, 0.87], False),
        ({}, [0.0, 0.5, 0.89], True),
        ({"repair": False}, [0.0, 0.9, 0.9], False),
    ],
)
def test_labels_are_repaired_where_it_is_due(settings, measures, repairs):
    recipe = Ferclean(FercleanSettings(**settings))
    split = split_of(recipe, measures)
    kinds = {work.kind for work in recipe.epoch(7, CONTEXT, split)}
    assert kinds == ({"mixmatch"} if repairs else {"audited"})
    assert ("prediction_0" in split[0].evidence) == repairs


@pytest.mark.parametrize("networks", [1, 2, 3])
def test_each_network_is_repaired_by_what_the_next_one_says(networks):
    recipe = Ferclean(FercleanSettings(networks=networks))
    partition, relabelling = split_of(recipe, [0.0, 1.0, 0.9])
    passes = recipe.epoch(9, CONTEXT, (partition, relabelling))
    assert [work.trains for work in passes] == [(net,) for net in range(networks)]
    logits = np.random.default_rng(1).normal(size=(networks, 12, 3)).astype(np.float32)
    weight = unlabelled_weight_for(partition.parameters["audit"]["noise_rate"], 3)
    for net, work in enumerate(passes):
        peer = (net + 1) % networks
        e = np.exp(logits[peer].astype(float))
        said = (e / e.sum(axis=1, keepdims=True)).astype(np.float32)
        streams = {stream.name: stream for stream in work.streams}
        agrees = said.argmax(axis=1) == OBSERVED
        assert streams["labelled"].rows.tolist() == np.flatnonzero(agrees).tolist()
        assert streams["unlabelled"].rows.tolist() == np.flatnonzero(~agrees).tolist()
        half = CONTEXT.training.batch_size // 2
        assert {stream.batch_size for stream in work.streams} == {half}
        objective = work.objective
        assert (objective.network, objective.peer) == (net, peer)
        np.testing.assert_allclose(
            objective.clean_probability, audit_labels(said, OBSERVED).label_quality, atol=1e-5
        )
        assert (objective.alpha, objective.temperature) == (4.0, 0.5)
        assert objective.unlabelled_weight == pytest.approx(weight)
        assert objective.ramp_up_start == CONTEXT.training.warm_up_epochs
        nets = [make_network(recipe, 3) for _ in range(networks)]
        terms = objective(make_step(work, nets, epoch=9.0))
        assert [term.name for term in terms] == ["labelled", "prior", "unlabelled"]
        assert all(torch.isfinite(term.values).all() for term in terms)


def test_under_repair_the_targets_move_with_every_audit():
    recipe = Ferclean(FercleanSettings(momentum=0.6))
    memory = {**memory_of(recipe), "measures": np.array([0.0, 1.0, 0.9])}
    logits = np.random.default_rng(3).normal(size=(2, 12, 3)).astype(np.float32)
    found = recipe.partition(Observation(logits), CONTEXT, memory)
    e = np.exp(logits.astype(float))
    prediction = (e / e.sum(axis=2, keepdims=True)).mean(axis=0)
    mean = (memory["running_target_0"] + memory["running_target_1"]) / 2
    moved = 0.6 * mean + 0.4 * prediction
    np.testing.assert_allclose(found.evidence["running_target"], moved, atol=1e-6)
    later = recipe.remember(memory, found)
    for net in range(2):
        np.testing.assert_array_equal(
            later[f"running_target_{net}"], found.evidence["running_target"]
        )
    again = recipe.partition(Observation(logits), CONTEXT, later)
    expected = 0.6 * moved + 0.4 * prediction
    np.testing.assert_allclose(again.evidence["running_target"], expected, atol=1e-6)


def test_the_partition_is_the_audit_of_the_mean_running_target(tmp_path):
    recipe = Ferclean(FercleanSettings())
    memory = memory_of(recipe)
    for name in ("running_target_0", "running_target_1"):
        memory[name] *= 0.3  # targets that have just begun
        memory[name][[7, 8]] = 0.0  # in no batch so far
    logits = np.random.default_rng(2).normal(size=(2, 12, 3)).astype(np.float32)
    found = recipe.partition(Observation(logits), CONTEXT, memory)
    e = np.exp(logits.astype(float))
    prediction = (e / e.sum(axis=2, keepdims=True)).mean(axis=0)
    mean = (memory["running_target_0"] + memory["running_target_1"]) / 0.6
    mean[[7, 8]] = prediction[[7, 8]]
    np.testing.assert_allclose(found.evidence["running_target"], mean, atol=1e-6)
    audit = audit_labels(mean, OBSERVED)
    np.testing.assert_allclose(found.clean_probability[0], audit.label_quality, atol=1e-5)
    np.testing.assert_allclose(found.probabilities[0], prediction, atol=1e-6)
    assert found.threshold == pytest.approx(audit.cut_off, abs=1e-5)
    assert found.parameters["audit"]["noise_rate"] == pytest.approx(audit.noise_rate, abs=1e-5)
    names, ids = ("a", "b", "c"), np.array([f"s{i}" for i in range(12)])
    write_partition(found, ids, names, tmp_path / "partition.parquet")
    again = read_partition(tmp_path / "partition.parquet", names, ids)
    assert again.parameters == found.parameters
    repaired = recipe.relabel(again, OBSERVED)
    np.testing.assert_array_equal(repaired.distribution, found.evidence["posterior"])
    np.testing.assert_array_equal(repaired.label, audit.suggested_label)


def test_the_measures_are_those_of_the_first_audit():
    recipe, memory = Ferclean(FercleanSettings()), memory_of(Ferclean(FercleanSettings()))
    logits = np.zeros((2, 12, 3), dtype=np.float32)
    first = recipe.partition(Observation(logits), CONTEXT, memory)
    audit = first.parameters["audit"]
    right = float(first.evidence["posterior"].max(axis=1).mean(dtype=np.float64))
    expected = [human_share(audit["steepness"]), noise_urgency(audit["noise_rate"]), right]
    assert audit["measures"] == pytest.approx(expected)
    memory = recipe.remember({**memory, **memory_of(recipe, seed=9)}, first)
    later = recipe.partition(Observation(logits), CONTEXT, memory).parameters["audit"]
    assert later["noise_rate"] != audit["noise_rate"]
    assert later["measures"] == audit["measures"]


def test_predictions_are_translated_by_the_latest_audit_in_the_measure_of_the_first():
    recipe = Ferclean(FercleanSettings())
    logits = 3 * np.random.default_rng(5).normal(size=(2, 12, 3)).astype(np.float32)
    seen = Observation(logits)
    memory = memory_of(recipe)
    e = np.exp(logits.mean(axis=0, dtype=float))
    plain = e / e.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(recipe.predict(seen, memory), plain, atol=1e-6)  # nothing is known

    memory["measures"] = np.array([0.8, 0.5, 0.1])
    found = recipe.partition(Observation(logits), CONTEXT, memory)
    memory = recipe.remember(memory, found)
    audit = audit_labels(found.evidence["running_target"], OBSERVED)
    meaning = label_meaning(audit.posterior, OBSERVED)
    temperature = fit_temperature(plain, OBSERVED)
    assert memory["temperature"] == pytest.approx([temperature], rel=1e-4)
    directed = directed_share(meaning, OBSERVED)
    assert memory["directed"] == pytest.approx([directed], abs=1e-5)
    for one_way in (directed, 0.9):
        memory["directed"] = np.array([one_way])
        share = 0.4 * direction(one_way)
        wanted = translate(plain, meaning, temperature=temperature, share=share)
        np.testing.assert_allclose(recipe.predict(seen, memory), wanted, atol=1e-5)
    assert np.abs(wanted - plain).max() > 0.02

    for measures in ([0.0, 1.0, 0.1], [1.0, 0.0, 0.1], [1.0, 1.0, 0.99]):  # the last one repairs
        other = {**memory, "measures": np.array(measures)}
        np.testing.assert_allclose(recipe.predict(seen, other), plain, atol=1e-6)
    without = Ferclean(FercleanSettings(translate=False))
    np.testing.assert_allclose(without.predict(seen, memory), plain, atol=1e-6)
