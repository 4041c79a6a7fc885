import json

import pandas as pd
import pytest

from ferclean.errors import FercleanError
from ferclean.steps.summarise import summarise
from fixtures.fake_run import make_fake_results


@pytest.fixture(scope="module")
def fake(tmp_path_factory):
    made = make_fake_results(
        tmp_path_factory.mktemp("results"), methods=("smr", "oracle_clean", "cross_entropy")
    )
    made.evaluate()
    return made


@pytest.mark.slow
def test_files_hold_every_run_once(fake, tmp_path):
    summarise(evaluations=fake.root / "evaluate", run=fake.runs, output=tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    results = pd.read_csv(tmp_path / "results.csv")
    curves = pd.read_csv(tmp_path / "curves.csv")
    assert set(metrics) == set(fake.runs) == set(results["run"]) == set(curves["run"])
    assert results["method"].tolist() == ["cross_entropy", "oracle_clean", "smr"]
    assert len(curves) == 3 * 6
    assert metrics[fake.runs[0]]["gap_closed"] is not None
    one = json.loads((fake.root / "evaluate" / fake.runs[0] / "metrics.json").read_text())
    for key, value in metrics[fake.runs[0]].items():
        if key != "gap_closed":
            assert value == pytest.approx(one[key]), key
    assert pd.read_csv(tmp_path / "seeds.csv")["seeds"].tolist() == [1, 1, 1]
    costs = pd.read_csv(tmp_path / "timing.csv")
    assert costs["run"].tolist() == results["run"].tolist()
    assert costs["training_seconds"].tolist() == [6 * 30.0] * 3
    assert costs["images_per_second"].tolist() == [5.0] * 3


def test_the_order_of_the_runs_does_not_matter(fake, tmp_path):
    for name, runs in (("a", fake.runs), ("b", fake.runs[::-1])):
        summarise(evaluations=fake.root / "evaluate", run=runs, output=tmp_path / name)
    for file in ("metrics.json", "results.csv", "curves.csv", "seeds.csv", "timing.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_run_that_is_not_there_is_named(fake, tmp_path):
    with pytest.raises(FercleanError, match="pairflip"):
        summarise(
            evaluations=fake.root / "evaluate", run=["pairflip-0.2-seed0/smr"], output=tmp_path
        )
