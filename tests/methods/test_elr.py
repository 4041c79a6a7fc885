import numpy as np
import torch
from torch.nn import functional

from ferclean.config.methods.elr import ElrSettings
from ferclean.losses.early_learning import (
    clipped_prediction,
    early_learning_penalty,
    moved_target,
)
from ferclean.methods.elr import Elr
from ferclean.tables.partitions import read_partition, write_partition
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_network, make_step

OBSERVED = np.arange(12) % 3


def test_the_codes_constants_are_the_defaults():
    own = ElrSettings()
    assert (own.regularisation, own.momentum) == (3.0, 0.7)
    start = Elr(own).start_memory(make_context(OBSERVED, 3))["running_target"]
    assert start.shape == (12, 3) and start.dtype == np.float32 and (start == 0).all()


def test_a_step_moves_its_rows_targets_and_regularises_towards_the_moved_ones():
    recipe, context = Elr(ElrSettings(regularisation=2.0, momentum=0.6)), make_context(OBSERVED, 3)
    before = torch.rand(12, 3, generator=torch.Generator().manual_seed(0)) / 3
    for (work,) in (recipe.warm_up(context), recipe.epoch(4, context, None)):
        memory, network = {"running_target": before.clone()}, make_network(recipe, 3).eval()
        step = make_step(work, [network], {"all": [9, 4]}, memory)
        entropy, penalty = work.objective(step)
        logits = network(step.batches["all"].views[0])
        prediction = clipped_prediction(logits)
        moved = moved_target(before[[9, 4]], prediction, 0.6)
        after = memory["running_target"]
        torch.testing.assert_close(after[[9, 4]], moved)
        others = np.setdiff1d(np.arange(12), [4, 9])
        assert torch.equal(after[others], before[others]) and not after.requires_grad
        labels = torch.from_numpy(OBSERVED[[9, 4]])
        torch.testing.assert_close(
            entropy.values, functional.cross_entropy(logits, labels, reduction="none")
        )
        torch.testing.assert_close(penalty.values, early_learning_penalty(prediction, moved))
        assert (entropy.weight, penalty.weight) == (1.0, 2.0)


def test_labels_are_judged_and_repaired_by_the_running_target_not_the_prediction(tmp_path):
    recipe, context = Elr(ElrSettings()), make_context(OBSERVED, 3)
    target = np.full((12, 3), 0.05, dtype=np.float32)
    target[np.arange(12), OBSERVED] = 0.4  # sums to one half: a mean that has just begun
    target[5] = [0.3, 0.1, 0.0]  # label 2
    target[[7, 8]] = 0.0  # in no batch so far; labels 1 and 2
    logits = np.zeros((1, 12, 3), dtype=np.float32)
    logits[0, :, 1] = 2.0
    found = recipe.partition(Observation(logits), context, {"running_target": target})
    wrong = np.flatnonzero(found.clean_probability[0] <= found.threshold)
    assert wrong.tolist() == [5, 8]
    np.testing.assert_allclose(found.evidence["running_target"].sum(axis=1), 1, atol=1e-6)
    assert found.score[0, 0] == np.float32(0.7) and found.score[0, 5] == np.float32(-0.75)
    names, ids = ("a", "b", "c"), np.array([f"s{i}" for i in range(12)])
    write_partition(found, ids, names, tmp_path / "partition.parquet")
    again = recipe.relabel(read_partition(tmp_path / "partition.parquet", names, ids), OBSERVED)
    expected = OBSERVED.copy()
    expected[[5, 8]] = [0, 1]
    np.testing.assert_array_equal(again.label, expected)
    assert set(again.action[[5, 8]]) == {"relabel"} and (again.action == "keep").sum() == 10
