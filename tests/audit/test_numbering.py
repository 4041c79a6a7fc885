from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import LabelEncoder

from ferclean.audit.numbering import (
    classes_by_labels,
    column_of_labels,
    require_column_numbers,
    whole_numbers,
)
from ferclean.errors import FercleanError


def texts(*labels):
    return np.array([str(label) for label in labels], dtype=str)


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30).filter(lambda x: len(set(x)) > 1))
def test_as_many_numbers_as_columns_are_in_scikit_learns_order(numbers):
    present = sorted(set(numbers))
    if present[0] < 0 and present != [-1, 1]:
        return
    encoder = LabelEncoder().fit(numbers)
    classes = classes_by_labels(texts(*numbers), len(present))
    assert classes == tuple(map(str, encoder.classes_))
    np.testing.assert_array_equal(
        column_of_labels(texts(*numbers), classes), encoder.transform(numbers)
    )


@given(st.lists(st.sampled_from(["ab", "b", "C", "a b", "é"]), min_size=5, unique=True))
def test_names_are_in_scikit_learns_order(names):
    encoder = LabelEncoder().fit(names)
    classes = classes_by_labels(texts(*names), 5)
    assert classes == tuple(encoder.classes_)
    np.testing.assert_array_equal(
        column_of_labels(texts(*names), classes), encoder.transform(names)
    )


@pytest.mark.parametrize(
    ("labels", "width", "first", "columns"),
    [
        (range(12), 12, 0, range(12)),
        (range(1, 13), 12, 1, range(12)),  # "10" sorts before "2" as text
        ([0, 5], 7, 0, [0, 5]),
        ([7, 2], 7, 1, [6, 1]),
        (["0.0", "11.0", "2.0"], 12, 0, [0, 11, 2]),
        (["1", "2", "3."], 3, 1, [0, 1, 2]),
        ([0, 0], 2, 0, [0, 0]),
    ],
)
def test_numbers_from_0_or_1_are_the_columns(labels, width, first, columns):
    classes = classes_by_labels(texts(*labels), width)
    assert classes == tuple(str(first + n) for n in range(width))
    assert column_of_labels(texts(*labels), classes).tolist() == list(columns)


@pytest.mark.parametrize(
    ("labels", "width", "message"),
    [
        (range(1, 7), 7, "labels go from 1 to 6 and there are 7 .* from 0 or from 1 .*--classes"),
        ([1, 1], 2, "cannot be told"),
        ([-1, 0, 1, 2, 3, 4, 5], 7, "label '-1', in row 1, numbers none of the 7 columns"),
        ([0, 1, 99, 2], 7, "label '99', in row 3, numbers none of the 7 columns .* --classes"),
        ([0, 1, 2], 2, "label '2', in row 3"),
        ([10, 20, 30], 2, "label '10', in row 1"),
        (["0", "1", "nan"], 3, "label 'nan', in row 3, is no class like the others"),
        (["0", "x", "1"], 3, "label 'x', in row 2, is no class like the others"),
        (["sad", "NaN", "happy"], 3, "label 'NaN', in row 2"),
        (["sad", "happy"], 3, r"3 columns of probabilities, but 2 classes \(happy, sad\)"),
        (["a", "b", "c"], 2, "2 columns of probabilities, but 3 classes"),
    ],
)
def test_labels_that_leave_more_than_one_way_are_refused(labels, width, message):
    with pytest.raises(FercleanError, match=message):
        classes_by_labels(texts(*labels), width)


NAMED = ("a", "b", "c")


@pytest.mark.parametrize(
    ("labels", "classes", "columns"),
    [
        (["c", "a"], NAMED, [2, 0]),
        (["2", "0"], NAMED, [2, 0]),
        (["2", "0"], ("c", "a", "b"), [2, 0]),
        (["2.0", "0.0"], NAMED, [2, 0]),
        (["3", "1"], ("1", "2", "3"), [2, 0]),
        (["3.0", "1.0"], ("1", "2", "3"), [2, 0]),
        (["1", "1"], ("1", "0"), [0, 0]),
        (["0", "2"], ("1", "2", "3"), [0, 2]),
    ],
)
def test_beside_named_classes_labels_are_names_or_columns(labels, classes, columns):
    require_column_numbers(texts(*labels), classes)
    assert column_of_labels(texts(*labels), classes).tolist() == columns


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "x"], "label 'x', in row 2, is none of the classes a, b, c; .*--classes"),
        (["a", ""], "label '', in row 2"),
        (["0", "3"], "label '3', in row 2"),
        (["0", "-1"], "label '-1', in row 2"),
        (["1", "2"], "numbers from 1 to 2: .* names instead"),
    ],
)
def test_labels_beside_named_classes_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(FercleanError, match=message):
        require_column_numbers(texts(*labels), NAMED)


def test_two_texts_of_one_number_are_names():
    assert whole_numbers(texts("3", "03")) is None
    assert whole_numbers(texts("3.5")) is None and whole_numbers(texts("1e3")) is None
    assert whole_numbers(texts("-2", "+4", "7.00")).tolist() == [-2, 4, 7]
