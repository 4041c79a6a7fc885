import numpy as np
import pytest

from ferclean.methods.remedies import direction, human_share, noise_urgency, rightness_needed


def test_the_measures_tell_flips_from_peoples_errors_and_clean_labels_from_wrong_ones():
    assert human_share(0.2) < 0.01 < human_share(0.43) < 0.1 < 0.95 < human_share(0.6)
    assert noise_urgency(0.28) < 0.05 < 0.95 < noise_urgency(0.34)
    assert direction(0.4) < 0.05 < 0.95 < direction(0.6)
    assert (human_share(0.5), noise_urgency(0.31), direction(0.5)) == (0.5, 0.5, 0.5)


def test_the_more_noise_the_less_right_suggestions_need_to_be():
    assert rightness_needed(0.0) == pytest.approx(0.92)
    assert rightness_needed(1.0) == pytest.approx(0.85)
    assert rightness_needed(0.5) == pytest.approx(0.885)
    assert np.isnan(rightness_needed(float("nan")))
