import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.evaluate.repair import action_counts, label_accuracy, pair_table

CODES = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(-1, 2), st.booleans()), min_size=1, max_size=40
)


@given(CODES)
def test_label_accuracy_counts_rows_with_both(rows):
    known = [(a, b) for a, b, _ in rows if a >= 0 and b >= 0]
    found = label_accuracy([a for a, _, _ in rows], [b for _, b, _ in rows])
    if known:
        assert found == pytest.approx(sum(a == b for a, b in known) / len(known))
    else:
        assert found is None


@given(CODES)
def test_pairs_equal_the_naive_count(rows):
    table = pair_table(
        "t", [a for a, _, _ in rows], [b for _, b, _ in rows], "xyz", [c for _, _, c in rows]
    )
    assert len(table) == 9
    for record in table.to_dict("records"):
        pair = ("xyz".index(record["row"]), "xyz".index(record["column"]))
        verdicts = [c for a, b, c in rows if (a, b) == pair]
        assert record["count"] == len(verdicts)
        if verdicts:
            assert record["label_accuracy"] == pytest.approx(np.mean(verdicts))
        else:
            assert np.isnan(record["label_accuracy"])


def test_actions_are_counted_in_order_and_absent_ones_are_zero():
    counts = action_counts(pd.Series(["drop", "keep", "keep"]))
    assert list(counts.items()) == [("keep", 2), ("relabel", 0), ("soften", 0), ("drop", 1)]


def test_an_unknown_action_is_refused():
    with pytest.raises(ValueError, match="explode"):
        action_counts(pd.Series(["explode"]))
