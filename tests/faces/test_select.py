from __future__ import annotations

import numpy as np
import pytest

from ferclean.errors import FercleanError
from ferclean.faces.detect import Faces
from ferclean.faces.select import select_face, usable_faces

LANDMARKS = np.tile(np.arange(10.0).reshape(1, 5, 2), (3, 1, 1))
# A large face in the corner, a small one in the middle, a sure one beside it.
THREE = Faces(
    np.array([[0.0, 0, 50, 50], [45, 45, 60, 60], [60, 70, 90, 100]]),
    np.array([0.9, 0.8, 0.99]),
    LANDMARKS,
)


@pytest.mark.parametrize(
    ("policy", "expected"), [("largest", 0), ("most_central", 1), ("highest_score", 2)]
)
def test_each_policy_takes_its_face(policy, expected):
    assert select_face(THREE, policy=policy, height=100, width=100) == expected


def test_the_centre_is_that_of_the_picture_not_of_a_square():
    assert select_face(THREE, policy="most_central", height=170, width=150) == 2


@pytest.mark.parametrize("policy", ["largest", "most_central", "highest_score"])
def test_of_equal_faces_the_first_is_taken(policy):
    twins = THREE.take(np.array([1, 1]))
    assert select_face(twins, policy=policy, height=100, width=100) == 0


def test_an_unknown_policy_names_the_known_ones():
    with pytest.raises(FercleanError, match="did you mean 'largest'"):
        select_face(THREE, policy="larges", height=1, width=1)


def test_no_face_is_an_error():
    with pytest.raises(ValueError, match="no face"):
        select_face(THREE.take(np.array([], dtype=int)), policy="largest", height=1, width=1)


def test_unusable_landmarks_are_left_out():
    landmarks = LANDMARKS.copy()
    landmarks[0] = 7.0
    landmarks[2, 3, 1] = np.nan
    usable = usable_faces(Faces(THREE.boxes, THREE.scores, landmarks))
    np.testing.assert_array_equal(usable.boxes, THREE.boxes[[1]])
    assert len(usable_faces(usable.take(np.zeros(1, dtype=bool)))) == 0
