from __future__ import annotations

import numpy as np
import pytest

from ferclean.faces.detect import equal_size_groups, make_faces

BOXES = np.array([[0, 0, 2.006, 2], [5, 5, 15, 15], [1, 1, 3, 5]])
SCORES = np.array([0.98765, 0.9, 0.8])
LANDMARKS = np.arange(30.0).reshape(3, 5, 2) + 0.001


def ragged(array):
    """The ``dtype=object`` arrays of arrays that facenet_pytorch returns."""
    result = np.empty(len(array), dtype=object)
    for position, row in enumerate(array):
        result[position] = row
    return result


@pytest.mark.parametrize("shape", [np.asarray, list, lambda a: a.astype(object), ragged])
def test_arrays_of_any_kind_become_rounded_floats_largest_first(shape):
    faces = make_faces(shape(BOXES), shape(SCORES), shape(LANDMARKS))
    assert faces.boxes.dtype == faces.scores.dtype == faces.landmarks.dtype == np.float64
    np.testing.assert_allclose(faces.boxes, [[5, 5, 15, 15], [1, 1, 3, 5], [0, 0, 2.01, 2]])
    np.testing.assert_allclose(faces.scores, [0.9, 0.8, 0.9876], atol=1.01e-4)
    np.testing.assert_array_equal(faces.landmarks, LANDMARKS[[1, 2, 0]].round(2))


@pytest.mark.parametrize(
    ("boxes", "scores", "landmarks"),
    [(None, [None], None), (None, None, None), ([], [], []), (np.zeros((0, 4)), [], [])],
)
def test_no_face_in_all_its_forms_is_empty(boxes, scores, landmarks):
    faces = make_faces(boxes, scores, landmarks)
    assert len(faces) == 0
    assert (faces.boxes.shape, faces.landmarks.shape) == ((0, 4), (0, 5, 2))


def test_groups_hold_each_picture_once_in_order():
    shapes = [(4, 5, 3), (5, 4, 3), (4, 5, 3), (9, 9, 3), (5, 4, 3)]
    groups = list(equal_size_groups([np.zeros(shape) for shape in shapes]))
    assert groups == [[0, 2], [1, 4], [3]]
