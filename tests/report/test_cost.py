import pandas as pd
import pytest

from ferclean.report.cost import cost_over_seeds, cost_section

ORDER = ["cross_entropy", "smr", "elr"]


def costs(*rows):
    columns = ["noise", "rate", "method", "seed", "training_seconds"]
    frame = pd.DataFrame(list(rows), columns=columns)
    return frame.assign(images_per_second=100.0)


def seeds_of(table):
    keys = ["noise", "rate", "method"]
    means = table[keys].drop_duplicates()
    return means.assign(test_accuracy_last_epoch_mean=0.5, test_accuracy_last_epoch_sd=0.01)


TWO_SEEDS = costs(
    ("symmetric", 0.2, "cross_entropy", 0, 60.0),
    ("symmetric", 0.2, "cross_entropy", 1, 180.0),
    ("symmetric", 0.2, "smr", 0, 600.0),
    ("symmetric", 0.2, "smr", 1, 840.0),
    ("pairflip", 0.2, "smr", 0, 30.0),
)


def test_without_test_accuracy_there_is_a_table_and_no_figure():
    unknown = seeds_of(TWO_SEEDS).assign(test_accuracy_last_epoch_mean=float("nan"))
    found = cost_section(TWO_SEEDS, unknown, ORDER)
    assert len(found["rows"]) == 3 and found["figures"] == []


def test_cost_is_a_mean_beside_the_control_of_the_same_noise():
    table = cost_over_seeds(TWO_SEEDS).set_index(["noise", "method"])
    smr = table.loc["symmetric", "smr"]
    assert smr["seeds"] == 2
    assert smr["training_seconds_mean"] == 720
    assert smr["training_seconds_sd"] == pytest.approx(120 * 2**0.5)
    assert smr["times_control"] == 6
    assert table.loc[("symmetric", "cross_entropy"), "times_control"] == 1
    alone = table.loc["pairflip", "smr"]
    assert pd.isna(alone["times_control"]) and pd.isna(alone["training_seconds_sd"])


def test_every_noise_has_a_figure_and_every_method_a_row():
    section = cost_section(TWO_SEEDS, seeds_of(TWO_SEEDS), ORDER)
    assert [row["method"] for row in section["rows"]] == ["cross_entropy", "smr", "smr"]
    assert [row["test_accuracy_last_epoch_mean"] for row in section["rows"]] == [0.5] * 3
    first, second = section["figures"]
    assert "Accuracy by cost, symmetric 0.2" in first and "cross_entropy" in first
    assert "Accuracy by cost, pairflip 0.2" in second and "cross_entropy" not in second


def test_without_times_there_is_no_section():
    untimed = TWO_SEEDS.assign(training_seconds=0.0)
    assert cost_section(untimed, seeds_of(untimed), ORDER) is None
