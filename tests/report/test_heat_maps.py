import numpy as np
import pandas as pd
import pytest

from ferclean.report.heat_maps import heat_map, pair_matrix

TEXTS = {"title": "t", "row_axis": "r", "column_axis": "c"}


def test_counts_are_shaded_by_their_share_of_the_row():
    made = heat_map(np.array([[3, 1], [0, 0]]), "ab", kind="count", **TEXTS)
    (_, first), (_, empty) = made.rows
    assert [cell.text for cell in first] == ["3", "1"]
    assert [cell.strength for cell in first] == [0.75, 0.25]
    assert [cell.text for cell in empty] == ["·", "·"]
    assert all(cell.strength == 0 for cell in empty)


def test_similarities_have_two_colours_and_no_negative_zero():
    made = heat_map(np.array([[1.0, -0.5], [-1e-9, 1.0]]), "ab", kind="similarity", **TEXTS)
    (_, first), (_, second) = made.rows
    assert [cell.family for cell in first] == ["plus", "minus"]
    assert first[0].strong
    assert not first[1].strong
    assert second[0].text == "0.00"


def test_missing_shares_stay_empty():
    made = heat_map(np.array([[0.5, np.nan], [0.0, 1.0]]), "ab", kind="share", **TEXTS)
    assert [cell.text for cell in made.rows[0][1]] == ["50", ""]


def test_the_matrix_must_fit_the_names():
    with pytest.raises(ValueError, match=r"expected \(3, 3\), found \(2, 2\)"):
        heat_map(np.ones((2, 2)), "abc", kind="count", **TEXTS)


def test_pairs_come_back_in_class_order():
    long = pd.DataFrame(
        {"table": "x", "row": list("bbaa"), "column": list("abab"), "count": [3, 4, 1, 2]}
    )
    other = long.assign(table="y", count=9)
    found = pair_matrix(pd.concat([other, long]), "x", ["a", "b"])
    assert found.tolist() == [[1, 2], [3, 4]]
