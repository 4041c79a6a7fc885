import numpy as np
import pytest
from scipy.stats import entropy, spearmanr

from ferclean.evaluate.uncertainty import doubt_correlations


def make_data(rows=40):
    random = np.random.default_rng(0)
    return random.random(rows), random.dirichlet(np.ones(4), rows)


def test_it_is_spearmans_correlation_with_the_entropy_of_known_rows():
    doubt, votes = make_data()
    votes[[3, 17]] = np.nan
    known = np.isfinite(votes).all(axis=1)
    found = doubt_correlations({"aleatoric": doubt}, {"votes": votes, "truth": np.eye(4)[[0] * 40]})
    expected = spearmanr(doubt[known], entropy(votes[known], axis=1)).statistic
    assert found["aleatoric_votes_spearman"] == pytest.approx(expected)
    assert found["aleatoric_truth_spearman"] is None  # no row is ambiguous


def test_any_rising_function_of_the_entropy_correlates_in_full():
    _, votes = make_data()
    found = doubt_correlations(
        {"total": np.exp(entropy(votes, axis=1)), "inverse": -entropy(votes, axis=1)},
        {"votes": votes},
    )
    assert found == pytest.approx({"total_votes_spearman": 1.0, "inverse_votes_spearman": -1.0})


def test_what_cannot_be_had_is_none():
    doubt, votes = make_data()
    unknown = np.full_like(votes, np.nan)
    found = doubt_correlations({"a": doubt, "b": np.ones(40)}, {"votes": votes, "truth": unknown})
    assert found["a_votes_spearman"] is not None
    assert found["a_truth_spearman"] is found["b_votes_spearman"] is None
    assert doubt_correlations({}, {"votes": votes}) == {}
    assert doubt_correlations({"a": doubt[:1]}, {"votes": votes[:1]}) == {"a_votes_spearman": None}


def test_bad_input_is_refused():
    doubt, votes = make_data()
    with pytest.raises(ValueError, match="a doubt must be finite"):
        doubt_correlations({"a": np.full(40, np.nan)}, {"votes": votes})
    with pytest.raises(ValueError, match="a:"):
        doubt_correlations({"a": doubt[1:]}, {"votes": votes})
