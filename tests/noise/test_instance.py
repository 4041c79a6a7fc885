"""Instance-dependent noise against a naive loop of the published algorithm."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ferclean.noise import instance
from ferclean.noise.instance import channel_statistics, instance_dependent

SEED = np.random.SeedSequence(entropy=3, spawn_key=(5,))


def _pictures(count, side=6, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def _draw(codes, pictures, *, rate, spread=0.1, seed=0, class_count=4):
    rows = np.arange(len(codes))
    return instance_dependent(
        codes,
        pictures,
        class_count,
        rows=rows,
        statistics=channel_statistics(pictures, rows),
        rate=rate,
        spread=spread,
        generator=np.random.default_rng(seed),
        projection_seed=SEED,
    )


def naive_instance(codes, pictures, *, rate, spread, seed, class_count):
    """p = q softmax(x W_y without y), p_y = 1 - q, one row at a time."""
    generator = np.random.default_rng(seed)
    count = len(codes)
    uniform, flips, picks = (generator.random(count) for _ in range(3))
    rates = stats.truncnorm.ppf(
        uniform, (0 - rate) / spread, (1 - rate) / spread, loc=rate, scale=spread
    )
    scaled = pictures.astype(np.float64)
    scaled = (scaled - scaled.mean(axis=(0, 1, 2))) / scaled.std(axis=(0, 1, 2))
    observed = []
    for i, code in enumerate(codes):
        if code < 0 or flips[i] >= rates[i]:
            observed.append(code)
            continue
        own = np.random.SeedSequence(entropy=3, spawn_key=(5, int(code)))
        matrix = np.random.default_rng(own).standard_normal((scaled[i].size, class_count))
        scores = scaled[i].ravel() @ matrix
        others = [k for k in range(class_count) if k != code]
        weights = np.exp(scores[others] - scores[others].max())
        limits = np.cumsum(weights / weights.sum())
        observed.append(others[int(np.searchsorted(limits, picks[i], side="right"))])
    return np.array(observed)


@pytest.mark.parametrize("chunk_bytes", [1, 8 * 108 * 7, 1 << 25])
def test_equals_naive_loop_whatever_the_chunks(monkeypatch, chunk_bytes):
    monkeypatch.setattr(instance, "_CHUNK_BYTES", chunk_bytes)
    codes = np.random.default_rng(2).integers(-1, 4, 200)
    pictures = _pictures(200)
    expected = naive_instance(codes, pictures, rate=0.4, spread=0.1, seed=9, class_count=4)
    np.testing.assert_array_equal(_draw(codes, pictures, rate=0.4, seed=9), expected)
    assert (expected != codes).sum() > 40


def test_realised_rate_is_the_mean_of_the_truncated_normal():
    codes = np.random.default_rng(0).integers(0, 4, 20_000)
    pictures = _pictures(20_000, side=2)
    for rate in (0.1, 0.3, 0.5):
        mean = stats.truncnorm.mean(-rate / 0.1, (1 - rate) / 0.1, loc=rate, scale=0.1)
        changed = (_draw(codes, pictures, rate=rate) != codes).mean()
        assert changed == pytest.approx(mean, abs=0.02)


def test_noise_depends_on_the_picture():
    """Equal pictures of one class go to few classes; the symmetric protocol would use all."""
    codes = np.zeros(400, dtype=np.int64)
    same = np.repeat(_pictures(1, side=8), 400, axis=0)
    # One other picture, so that no channel is constant after standardising.
    same[-1] = 255 - same[-1]
    observed = _draw(codes, same, rate=0.5)[:-1]
    wrong = np.bincount(observed[observed != 0], minlength=4)
    assert wrong.sum() > 100
    assert wrong.max() / wrong.sum() > 0.9


def test_degenerate_inputs():
    codes = np.array([0, 1, -1, 3])
    pictures = _pictures(4)
    np.testing.assert_array_equal(_draw(codes, pictures, rate=0.0), codes)
    assert _draw(codes, pictures, rate=1.0)[2] == -1
    assert len(_draw(np.array([], dtype=np.int64), _pictures(0), rate=0.5)) == 0
    black = np.zeros((50, 4, 4, 1), dtype=np.uint8)
    observed = _draw(np.zeros(50, dtype=np.int64), black, rate=0.9)
    assert set(np.unique(observed)) <= {0, 1, 2, 3}
    two = _draw(np.tile([0, 1], 50), _pictures(100), rate=1.0, class_count=2)
    assert ((two == 0) | (two == 1)).all()
    with pytest.raises(ValueError, match="pictures for"):
        instance_dependent(
            codes,
            pictures,
            4,
            rows=np.arange(3),
            statistics=channel_statistics(pictures, np.arange(4)),
            rate=0.3,
            spread=0.1,
            generator=np.random.default_rng(0),
            projection_seed=SEED,
        )


def test_never_draws_the_own_class_when_it_flips(monkeypatch):
    monkeypatch.setattr(
        instance, "_flip_rates", lambda rate, spread, uniform: np.ones_like(uniform)
    )
    codes = np.random.default_rng(1).integers(0, 4, 2000)
    assert (_draw(codes, _pictures(2000, side=3), rate=0.5) != codes).all()


def test_channel_statistics_equal_numpy():
    pictures = _pictures(30, side=5)
    rows = np.array([3, 4, 17, 29])
    mean, deviation = channel_statistics(pictures, rows)
    np.testing.assert_allclose(mean, pictures[rows].mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(deviation, pictures[rows].std(axis=(0, 1, 2)), rtol=1e-12)
    mean, deviation = channel_statistics(pictures, rows[:0])
    assert mean.tolist() == [0, 0, 0]
    assert deviation.tolist() == [1, 1, 1]
