import numpy as np
import pandas as pd
import pytest

from ferclean.config.run_names import checked_runs, parse_run
from ferclean.errors import FercleanError
from ferclean.evaluate.summary import mean_over_seeds, results_table


def runs(control, ceiling, smr, seed=0):
    names = {"smr": smr, "oracle_clean": ceiling, "cross_entropy": control}
    return {
        f"symmetric-0.3-seed{seed}/{name}": {"test_accuracy_last_epoch": value}
        for name, value in names.items()
        if value is not None
    }


def test_controls_come_first_and_the_gap_is_a_share():
    table = results_table(runs(0.6, 0.8, 0.75))
    assert table["method"].tolist() == ["cross_entropy", "oracle_clean", "smr"]
    assert table["gap_closed"].iloc[2] == pytest.approx(0.75)
    assert table["gap_closed"].iloc[:2].isna().all()
    assert table["detection_auroc"].isna().all()


@pytest.mark.parametrize("control, ceiling", [(None, 0.8), (0.6, None), (0.8, 0.8), (0.9, 0.8)])
def test_without_a_gap_there_is_no_share(control, ceiling):
    assert results_table(runs(control, ceiling, 0.7))["gap_closed"].isna().all()


@pytest.mark.parametrize(("ceiling", "share"), [(0.609, None), (0.611, 0.5), (0.62, 0.5)])
def test_a_gap_of_less_than_a_hundredth_is_none(ceiling, share):
    table = results_table(runs(0.6, ceiling, (0.6 + ceiling) / 2))
    over_seeds = mean_over_seeds(table).set_index("method")
    for found in (table["gap_closed"].iloc[2], over_seeds.loc["smr", "gap_closed_mean"]):
        assert pd.isna(found) if share is None else found == pytest.approx(share)


def test_mean_and_deviation_over_seeds():
    values = [0.70, 0.74, 0.90]
    metrics = {k: v for s, x in enumerate(values) for k, v in runs(None, None, x, seed=s).items()}
    table = mean_over_seeds(results_table(metrics))
    assert len(table) == 1
    assert table["seeds"].iloc[0] == 3
    assert table["test_accuracy_last_epoch_mean"].iloc[0] == pytest.approx(np.mean(values))
    assert table["test_accuracy_last_epoch_sd"].iloc[0] == pytest.approx(np.std(values, ddof=1))


def test_the_gap_over_seeds_is_the_share_of_the_means_not_the_mean_of_shares():
    accuracies = [(0.700, 0.701, 0.740), (0.70, 0.69, 0.74), (0.60, 0.80, 0.72)]
    metrics = {k: v for s, row in enumerate(accuracies) for k, v in runs(*row, seed=s).items()}
    table = mean_over_seeds(results_table(metrics)).set_index("method")
    control, ceiling, method = (sum(column) / 3 for column in zip(*accuracies, strict=True))
    assert table.loc["smr", "gap_closed_mean"] == pytest.approx(
        (method - control) / (ceiling - control)
    )
    assert table.loc["smr", "gap_closed_seeds"] == 3
    assert table.loc["cross_entropy", "gap_closed_seeds"] == 0


def test_a_seed_without_a_control_has_no_part_in_the_gap_over_seeds():
    metrics = runs(0.6, 0.8, 0.7) | runs(None, 0.8, 0.9, seed=1)
    table = mean_over_seeds(results_table(metrics)).set_index("method")
    assert table.loc["smr", "gap_closed_mean"] == pytest.approx(0.5)
    assert table.loc["smr", "gap_closed_seeds"] == 1
    assert table.loc["smr", "test_accuracy_last_epoch_mean"] == pytest.approx(0.8)


def test_one_seed_has_no_deviation():
    assert mean_over_seeds(results_table(runs(None, None, 0.7)))["gap_closed_sd"].isna().all()


def test_a_run_name_is_taken_apart():
    name = parse_run("symmetric-0.3-seed2/smr")
    assert (name.noise, name.rate, name.seed, name.method) == ("symmetric", 0.3, 2, "smr")


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("smr", "run 'smr' must look like"),
        ("../secret/smr", r"setting '\.\.' is not of the form"),
        ("symmetric-0.3-seed0/nosuch", "unknown method in run .* 'nosuch'"),
        ("symmetric-0.3-seed0/../x", r"unknown method in run .* '\.\./x'"),
    ],
)
def test_odd_run_names_are_refused(run, message):
    with pytest.raises(FercleanError, match=message):
        parse_run(run)


@pytest.mark.parametrize("names", [[], ["none-0-seed0/smr"] * 2])
def test_runs_must_be_named_once(names):
    with pytest.raises(FercleanError, match="run"):
        checked_runs(names)
