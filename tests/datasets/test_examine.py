from __future__ import annotations

import numpy as np
import pytest

from ferclean.datasets import examine
from ferclean.datasets.examine import examine_pictures
from ferclean.datasets.fingerprints import Fingerprint, fingerprint
from ferclean.datasets.pictures import PictureError
from ferclean.threads import ordered_map
from fixtures.picture_files import encode, smooth_pixels

NOISE = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)


@pytest.mark.parametrize("ahead", [1, 3, 32])
def test_small_and_large_pictures_come_back_in_order(monkeypatch, ahead):
    monkeypatch.setattr(examine, "_AHEAD", ahead)
    pixels = [NOISE if row % 3 == 0 else smooth_pixels(row) for row in range(40)]
    pictures = [(100 + row, encode(picture)) for row, picture in enumerate(pixels)]
    assert len(pictures[0][1]) > examine._SMALL_BYTES > len(pictures[1][1])
    found = list(examine_pictures(iter(pictures), max_pixels=10**6))
    assert [(row, data) for row, data, _ in found] == pictures
    for picture, (_, _, outcome) in zip(pixels, found, strict=True):
        assert isinstance(outcome, Fingerprint)
        assert outcome.sha256 == fingerprint(picture).sha256


@pytest.mark.parametrize(("given", "threads"), [("1", 1), ("3", 3), ("64", 4)])
def test_pictures_are_decoded_in_the_threads_given_up_to_four(monkeypatch, given, threads):
    used = []

    def watched(function, items, workers, **options):
        used.append(workers)
        return ordered_map(function, items, workers, **options)

    monkeypatch.setattr(examine, "ordered_map", watched)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    pictures = [(row, encode(NOISE + np.uint8(row))) for row in range(9)]
    found = list(examine_pictures(pictures, max_pixels=10**6))
    assert used == [threads]
    assert [(row, data) for row, data, _ in found] == pictures
    assert len({outcome.sha256 for _, _, outcome in found}) == 9


def test_troubles_are_passed_on_and_the_stream_goes_on():
    missing = PictureError("file not found")
    pictures = [(0, missing), (1, b"junk" * 10_000), (2, encode(smooth_pixels(1)))]
    first, second, third = examine_pictures(pictures, max_pixels=10**6)
    assert first == (0, missing, missing)
    assert isinstance(second[2], PictureError) and isinstance(third[2], Fingerprint)


def test_the_stream_is_pulled_only_a_little_ahead():
    pulled = []

    def pictures():
        for row in range(500):
            pulled.append(row)
            yield row, encode(NOISE)

    stream = examine_pictures(pictures(), max_pixels=10**6)
    next(stream)
    assert len(pulled) <= examine._AHEAD + 1
    stream.close()
