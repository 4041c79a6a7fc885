import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.evaluate.cost import TIMING_COLUMNS, cost_table

POSITIVE = st.floats(0.01, 1e4)


def timing(seconds, speeds):
    rows = enumerate(zip(seconds, speeds, strict=True))
    return pd.DataFrame([(k, *row) for k, row in rows], columns=list(TIMING_COLUMNS))


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=20))
def test_the_cost_of_a_run_is_that_of_a_loop(epochs):
    table = cost_table({"pairflip-0.2-seed3/smr": timing(*zip(*epochs, strict=True))})
    row = table.iloc[0]
    seconds = images = 0.0
    for took, speed in epochs:
        seconds += took
        images += took * speed
    assert row[["noise", "rate", "seed", "method"]].tolist() == ["pairflip", 0.2, 3, "smr"]
    assert row["epochs"] == len(epochs)
    assert row["training_seconds"] == pytest.approx(seconds)
    assert row["images_per_second"] == pytest.approx(images / seconds)


def test_without_epochs_there_is_no_speed():
    row = cost_table({"none-0-seed0/smr": timing([], [])}).iloc[0]
    assert row["training_seconds"] == 0
    assert np.isnan(row["images_per_second"])
