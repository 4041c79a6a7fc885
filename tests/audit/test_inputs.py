import numpy as np
import pytest

from ferclean.audit.inputs import common_classes, stacked
from ferclean.errors import FercleanError
from ferclean.tables.audit_inputs import GivenLabels, Probabilities


def labels(*names, ids=None):
    return GivenLabels(np.array(names, dtype=str), None if ids is None else np.array(list(ids)))


def file(rows, classes=None, ids=None):
    values = np.array(rows, dtype=np.float32)
    values = values if values.ndim == 3 else values[None]
    return Probabilities(values, classes, None if ids is None else np.array(list(ids)))


TWO = [[0.9, 0.1], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("given", "found", "named", "classes"),
    [
        (labels("b", "a"), file(TWO), None, ("a", "b")),
        (labels("b", "a"), file(TWO), ["b", "a"], ("b", "a")),
        (labels("b", "a"), file(TWO, ("b", "a")), None, ("b", "a")),
        (labels("1", "0"), file(TWO), None, ("0", "1")),
        (labels("0", "0"), file(TWO), None, ("0", "1")),
        (labels("1", "0"), file(TWO, ("no", "yes")), None, ("no", "yes")),
    ],
)
def test_classes_are_named_by_the_user_the_columns_or_the_labels(given, found, named, classes):
    assert common_classes(given, [found], named) == classes


def test_rows_follow_the_labels_and_columns_the_classes():
    given = labels("x", "y", "x", ids="pqr")
    first = file([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]], ("y", "x"), ids="rpq")
    second = file([[0.6, 0.4], [0.5, 0.5], [0.4, 0.6]], ("x", "y"))
    classes = common_classes(given, [first, second], None)
    members, codes = stacked(given, [first, second], classes)
    assert classes == ("y", "x") and codes.tolist() == [1, 0, 1]
    np.testing.assert_allclose(members[0], [[0.2, 0.8], [0.3, 0.7], [0.1, 0.9]], rtol=1e-6)
    np.testing.assert_allclose(members[1], [[0.4, 0.6], [0.5, 0.5], [0.6, 0.4]], rtol=1e-6)


def test_an_ensemble_in_one_file_stays_one_member_each_and_rows_may_be_left_over():
    given = labels("0", "1", ids="ab")
    both = file([TWO, TWO[::-1]])
    more = file([[0.5, 0.5], *TWO], ids="zab")
    members, codes = stacked(given, [both, more], ("0", "1"))
    assert members.shape == (3, 2, 2) and codes.tolist() == [0, 1]
    np.testing.assert_array_equal(members[2], np.float32(TWO))


@pytest.mark.parametrize("header", [("no", "yes"), ("yes", "no")])
def test_numbers_beside_named_classes_are_the_columns_numbers(header):
    given = labels("1", "0")
    found = file(TWO, header)
    _, codes = stacked(given, [found], common_classes(given, [found], None))
    assert codes.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("given", "files", "named", "message"),
    [
        (labels("a", "b"), [file(TWO), file([[1, 0, 0], [0, 1, 0]])], None, r"\[2, 3\] classes"),
        (labels("a", "b", "c"), [file([*TWO, [0, 1]])], None, "2 columns .* 3 classes .*--classes"),
        (labels("a", "a"), [file(TWO)], None, "1 classes"),
        (
            labels("a", "c"),
            [file(TWO, ("a", "b"))],
            None,
            "label 'c', in row 2, is none of .*--classes",
        ),
        (labels("2", "0"), [file(TWO, ("a", "b"))], None, "label '2', in row 1, is none of"),
        (labels("a", "b"), [file(TWO)], ["a", "a"], "--classes"),
        (labels("a", "b"), [file(TWO, ("a", "b")), file(TWO, ("a", "c"))], None, "different"),
        (labels("a", "b"), [file(TWO, ("a", "b"))], ["b", "c"], "different"),
    ],
)
def test_classes_that_do_not_fit_are_refused(given, files, named, message):
    with pytest.raises(FercleanError, match=message):
        common_classes(given, files, named)


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(FercleanError, match="3 labels and 2 rows"):
        stacked(labels("0", "1", "0"), [file(TWO)], ("0", "1"))
    with pytest.raises(FercleanError, match="no row for sample_id 'c'"):
        stacked(labels("0", "1", ids="ac"), [file(TWO, ids="ab")], ("0", "1"))
