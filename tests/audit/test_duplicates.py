import numpy as np
import pandas as pd

from ferclean.audit.duplicates import duplicate_evidence

NAMES = np.array(["a", "b", "c", "d", "e", "f"])


def pairs(*rows):
    return pd.DataFrame(rows, columns=["kind", "sample_id_a", "sample_id_b"])


def test_copies_are_counted_and_differing_labels_found_in_the_whole_group():
    found = duplicate_evidence(
        pairs(("exact", "a", "c"), ("exact", "a", "e"), ("near", "b", "c"), ("near", "b", "d")),
        NAMES,
        np.array([0, 1, 0, 1, 2, 1]),
    )
    assert found.copies.tolist() == [2, 0, 2, 0, 2, 0]
    assert found.near.tolist() == [0, 2, 1, 1, 0, 0]
    assert found.conflicts.tolist() == [True, False, True, False, True, False]


def test_copies_that_agree_are_no_conflict_and_near_ones_never_are():
    labels = np.array([0, 1, 0, 1, 2, 1])
    found = duplicate_evidence(pairs(("exact", "b", "d"), ("near", "a", "b")), NAMES, labels)
    assert not found.conflicts.any()


def test_two_rows_whose_common_first_is_elsewhere_are_copies_of_each_other():
    # The first of the group stands in another split.
    found = duplicate_evidence(
        pairs(("exact", "test", "b"), ("exact", "test", "f"), ("near", "test", "a")),
        NAMES,
        np.array([0, 1, 0, 1, 2, 0]),
    )
    assert found.copies.tolist() == [0, 1, 0, 0, 0, 1]
    assert found.conflicts.tolist() == [False, True, False, False, False, True]
    assert found.near.sum() == 0


def test_no_pairs_is_no_evidence():
    found = duplicate_evidence(pairs(), NAMES, np.zeros(6, dtype=int))
    assert not (found.copies.any() or found.near.any() or found.conflicts.any())
