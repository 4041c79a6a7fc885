import numpy as np

from ferclean.evaluate.truth import (
    best_known_codes,
    known_distributions,
    one_hot,
    true_codes,
    true_distributions,
)
from ferclean.tables.labels import labels_from_codes
from fixtures.fake_run import CLASSES, make_base_table


def table(**options):
    return make_base_table(70, rate=0.3, rng=np.random.default_rng(1), **options)


def test_without_truth_everything_is_unknown():
    plain = table(truth=False)
    assert (true_codes(plain) == -1).all()
    assert np.isnan(true_distributions(plain)).all()
    assert np.array_equal(best_known_codes(plain), plain.codes("given"))


def test_the_given_label_stands_in_where_truth_is_missing():
    known = table()
    true = known.codes("true")
    true[::2] = -1
    partly = known.with_columns(true=labels_from_codes(true, CLASSES))
    expected = np.where(true < 0, partly.codes("given"), true)
    assert np.array_equal(best_known_codes(partly), expected)


def test_votes_stand_in_where_the_distribution_is_missing():
    both = table(votes=True)
    column = f"true_p_{CLASSES[0]}"
    both.frame.loc[0, column] = np.nan
    votes = both.matrix("votes_")
    found = true_distributions(both)
    assert np.allclose(found[0], votes[0] / votes[0].sum())
    assert np.allclose(found[1], both.matrix("true_p_")[1])
    known = known_distributions(both)
    assert np.isnan(known[0, 0]) and np.array_equal(known[1:], both.matrix("true_p_")[1:])


def test_one_hot_of_a_missing_label_is_missing():
    found = one_hot(np.array([1, -1]), 3)
    assert found[0].tolist() == [0, 1, 0]
    assert np.isnan(found[1]).all()
