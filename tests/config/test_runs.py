from itertools import product
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.config.grid import NoiseKind
from ferclean.config.load import build_settings
from ferclean.config.runs import (
    RATELESS_KINDS,
    Setting,
    parse_setting,
    runs_of,
    setting_name,
    settings_of,
    truth_known,
)
from ferclean.errors import FercleanError

KINDS = get_args(NoiseKind)


def settings(**sections):
    return build_settings(sections)


@pytest.mark.parametrize(
    ("kind", "rate", "seed", "name"),
    [
        ("symmetric", 0.3, 0, "symmetric-0.3-seed0"),
        ("symmetric_inclusive", 0.30, 12, "symmetric_inclusive-0.3-seed12"),
        ("pairflip", 0, 1, "pairflip-0-seed1"),
        ("pairflip", -0.0, 1, "pairflip-0-seed1"),
        ("instance", 1, 1, "instance-1-seed1"),
        ("instance", 1e-05, 1, "instance-0.00001-seed1"),
        ("none", 0.3, 2, "none-0-seed2"),
        ("file", 0.3, 2, "file-0-seed2"),
    ],
)
def test_setting_name_by_hand(kind, rate, seed, name):
    assert setting_name(kind, rate, seed) == name


@given(st.sampled_from(KINDS), st.floats(0, 1), st.integers(0, 2**32))
def test_parse_setting_is_the_inverse(kind, rate, seed):
    name = setting_name(kind, rate, seed)
    expected_rate = 0 if kind in RATELESS_KINDS else rate
    assert parse_setting(name) == Setting(kind, expected_rate, seed)
    assert "/" not in name
    assert setting_name(*parse_setting(name)) == name


@given(*[st.tuples(st.sampled_from(KINDS[1:-1]), st.floats(0, 1), st.integers(0, 99))] * 2)
def test_different_settings_have_different_names(first, second):
    assert (setting_name(*first) == setting_name(*second)) == (first == second)


@pytest.mark.parametrize(
    "name",
    ["", "symmetric", "symmetric-0.3", "odd-0.3-seed0", "symmetric-0.3-seed", "symmetric-x-seed0",
     "symmetric-0.3-seed0/..", "../symmetric-0.3-seed0", "symmetric-0.3-seed0\n", "none--1-seed0"],
)  # fmt: skip
def test_parse_setting_refuses_other_names(name):
    with pytest.raises(FercleanError, match="is not of the form"):
        parse_setting(name)


def test_grid_is_expanded_in_order_without_rates_for_the_kinds_that_have_none():
    grid = {"noise": ["none", "symmetric"], "rates": [0.2, 0.4], "seeds": [0, 1]}
    assert settings_of(settings(grid=grid)) == [
        "none-0-seed0",
        "none-0-seed1",
        "symmetric-0.2-seed0",
        "symmetric-0.2-seed1",
        "symmetric-0.4-seed0",
        "symmetric-0.4-seed1",
    ]


def test_scalars_and_repeats_make_one_setting():
    assert settings_of(settings(grid={"noise": "pairflip", "rates": [0.4, 0.40], "seeds": 3})) == [
        "pairflip-0.4-seed3"
    ]


def test_controls_are_added_once():
    grid = {"methods": ["smr", "cross_entropy"], "controls": ["cross_entropy", "oracle_clean"]}
    setting = "symmetric-0.3-seed0"
    assert runs_of(settings(grid=grid)) == [
        (setting, "smr"),
        (setting, "cross_entropy"),
        (setting, "oracle_clean"),
    ]


VOTES = {"source": "fer2013_csv", "path": "fer2013.csv", "votes_path": "votes.csv"}
TABLE = {"source": "table", "path": "labels.csv"}
FER_PLUS = {"source": "fer2013_parquet", "path": "fer2013plus.parquet"}
WITH_NOISE_LISTS = ("rafdb", "rafdb_compound", "affectnet", "ferplus", "cifar10", "cifar100")


@pytest.mark.parametrize(
    ("data", "known_without_noise"),
    [
        ({}, True),
        (TABLE, False),
        (VOTES, True),
        ({**VOTES, "vote_truth": False}, False),
        ({**VOTES, "labels": "ferplus_winner"}, False),
        (FER_PLUS, True),
        ({**FER_PLUS, "labels": "ferplus_winner"}, False),
        *(({"source": source, "path": "set"}, False) for source in WITH_NOISE_LISTS),
        *(
            ({"source": source, "path": "set", "labels_path": "noisy.txt"}, True)
            for source in WITH_NOISE_LISTS
        ),
    ],
)
def test_oracle_runs_only_where_the_truth_can_be_known(data, known_without_noise):
    grid = {"methods": "smr", "noise": ["none", "symmetric"], "controls": ["oracle_clean"]}
    built = settings(data=data, grid=grid)
    runs = runs_of(built)
    assert ("symmetric-0.3-seed0", "oracle_clean") in runs
    assert (("none-0-seed0", "oracle_clean") in runs) == known_without_noise
    assert truth_known(built, "none") == known_without_noise
    assert {("none-0-seed0", "smr"), ("symmetric-0.3-seed0", "smr")} <= set(runs)


@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    st.lists(st.sampled_from([0.1, 0.25, 0.5]), min_size=1, max_size=3),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.lists(st.sampled_from(["smr", "cross_entropy"]), min_size=1, max_size=2),
)
def test_runs_equal_the_plain_product(kinds, rates, seeds, methods):
    grid = {"methods": methods, "controls": [], "noise": kinds, "rates": rates, "seeds": seeds}
    runs = runs_of(settings(grid=grid))
    plain = {
        (setting_name(kind, rate, seed), method)
        for kind, rate, seed, method in product(kinds, rates, seeds, methods)
    }
    assert set(runs) == plain
    assert len(runs) == len(plain)


@pytest.mark.parametrize(
    ("name", "content", "known"),
    [
        ("a.csv", "\ufeffpath, label, true\nx.png,happy,sad\n", True),
        ("a.csv", "path,label\nx.png,true\n", False),
        ("a.tsv", "path\tlabel\ttrue\n", True),
        ("a.csv", "", False),
        ("a.parquet", "no parquet", False),
        ("absent.csv", None, False),
    ],
)
def test_a_table_with_a_column_true_knows_the_truth(tmp_path, name, content, known):
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    built = build_settings({"data": {"source": "table", "path": str(tmp_path / name)}})
    assert truth_known(built, "none") == known
    assert truth_known(built, "symmetric")


def test_a_parquet_table_with_a_column_true_knows_the_truth(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"path": ["x.png"], "label": ["happy"], "true": ["sad"]}).to_parquet(path)
    built = build_settings({"data": {"source": "table", "path": str(path)}})
    assert truth_known(built, "none")
