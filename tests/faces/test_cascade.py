from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.faces import cascade
from fixtures.rendered_pictures import rendered_pictures

pytest.importorskip("facenet_pytorch")
from facenet_pytorch.models.utils.detect_face import nms_numpy

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 37, 53, 3), dtype=np.uint8)


def by_interpolation(picture, size):
    planes = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    area = torch.nn.functional.interpolate(planes, size=size, mode="area")
    return (area - 127.5) * 0.0078125


@given(
    picture=st.integers(0, 2),
    x=st.tuples(st.integers(0, 52), st.integers(1, 53)),
    y=st.tuples(st.integers(0, 36), st.integers(1, 37)),
    size=st.sampled_from([24, 48]),
)
@settings(max_examples=50, deadline=None)
def test_crops_equal_area_interpolation_larger_or_smaller(picture, x, y, size):
    left, right = min(x), max(*x, min(x) + 1)
    top, bottom = min(y), max(*y, min(y) + 1)
    table = cascade._summed_area(torch.from_numpy(PICTURES))
    boxes = torch.tensor([[left, top, right, bottom]])
    crop = cascade._area_crops(table, torch.tensor([picture]), boxes, size)
    expected = by_interpolation(PICTURES[picture, top:bottom, left:right], (size, size))
    torch.testing.assert_close(crop, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(37, 53), (12, 18), (23, 31), (45, 64)])
def test_levels_equal_area_interpolation(size):
    table = cascade._summed_area(torch.from_numpy(PICTURES))
    levels = cascade._resize(table, *size)
    for level, picture in zip(levels, PICTURES, strict=True):
        torch.testing.assert_close(level[None], by_interpolation(picture, size), atol=1e-5, rtol=0)


def test_sums_may_wrap_around():
    """4,000 x 3,000 white pixels sum to 3e9, more than 32 bits hold; boxes stay exact."""
    table = cascade._summed_area(torch.full((1, 3000, 4000, 3), 255, dtype=torch.uint8))
    boxes = torch.tensor([[3900, 2900, 4000, 3000], [0, 0, 2800, 2800]])
    crops = cascade._area_crops(table, torch.zeros(2, dtype=torch.int64), boxes, 24)
    torch.testing.assert_close(crops, torch.full_like(crops, 127.5 * 0.0078125))


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_nested_suppression_equals_the_library_s_picture_by_picture(seed):
    generator = np.random.default_rng(seed)
    corner = generator.uniform(-20, 40, (30, 2))
    boxes = np.concatenate([corner, corner + generator.uniform(5, 50, (30, 2))], axis=1)
    scores, index = generator.permutation(30) / 30, generator.integers(0, 3, 30)
    keep = cascade._suppress_nested(*map(torch.from_numpy, (boxes, scores, index)), 0.7)
    expected = []
    for picture in range(3):
        rows = np.flatnonzero(index == picture)
        expected += rows[nms_numpy(boxes[rows], scores[rows], 0.7, "Min")].tolist()
    assert sorted(keep.tolist()) == sorted(expected)


def test_overlaps_in_another_picture_suppress_nothing():
    """Also with negative coordinates, on which torchvision's batched_nms alone mixes pictures."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [-11, -11, -1, -1], [0, 0, 10, 10]])
    keep = cascade._suppress(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 1, 1]), 0.5)
    assert sorted(keep.tolist()) == [0, 1, 2]


@pytest.mark.parametrize("min_face_size", [20, 40])
def test_a_batch_equals_the_library_one_by_one(min_face_size):
    from facenet_pytorch import MTCNN
    from PIL import Image

    from ferclean.faces.mtcnn import load_networks

    rendered = rendered_pictures(6)
    blank = np.full_like(rendered[:1], 128)
    several = np.concatenate([rendered[0], rendered[1], rendered[2]], axis=1)[:, ::3][None]
    noise = np.random.default_rng(0).integers(0, 256, rendered[:1].shape, dtype=np.uint8)
    device, networks = torch.device("cpu"), load_networks(torch.device("cpu"))
    library = MTCNN(keep_all=True, min_face_size=min_face_size)
    for batch in (np.concatenate([rendered, blank, noise]), several):
        index, boxes, scores, landmarks = cascade.detect_faces(
            batch, networks, min_face_size=min_face_size, device=device
        )
        assert (np.diff(index) >= 0).all()
        for position, picture in enumerate(batch):
            expected = library.detect(Image.fromarray(picture), landmarks=True)
            mine = [part[index == position] for part in (boxes, scores, landmarks)]
            if expected[0] is None:
                assert len(mine[0]) == 0
                continue
            order = np.argsort(-mine[1])
            reference = np.argsort(-np.asarray(expected[1], dtype=float))
            for part, other in zip(mine, expected, strict=True):
                wanted = np.asarray(other, dtype=float)[reference]
                np.testing.assert_allclose(part[order], wanted, atol=0.01)


@pytest.mark.parametrize("shape", [(2, 1, 1, 3), (1, 11, 300, 3), (2, 19, 19, 3), (0, 40, 40, 3)])
def test_pictures_too_small_for_a_face_hold_none(shape):
    from ferclean.faces.mtcnn import load_networks

    device = torch.device("cpu")
    parts = cascade.detect_faces(
        np.zeros(shape, dtype=np.uint8), load_networks(device), min_face_size=20, device=device
    )
    assert [part.shape for part in parts] == [(0,), (0, 4), (0,), (0, 5, 2)]
