import base64
import io

import numpy as np
import pytest
from PIL import Image

from ferclean.report.pictures import face_uri


def decode(uri):
    head, data = uri.split(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(
    ("shape", "mode", "size"),
    [((48, 48, 1), "L", (48, 48)), ((224, 224, 3), "RGB", (112, 112))],
)
def test_faces_become_small_jpegs(shape, mode, size):
    picture = decode(face_uri(np.full(shape, 128, dtype=np.uint8)))
    assert (picture.mode, picture.size) == (mode, size)
    assert abs(int(np.asarray(picture).mean()) - 128) <= 1


@pytest.mark.parametrize("face", [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8)])
def test_other_arrays_are_refused(face):
    with pytest.raises(ValueError, match=r"must be \(H, W, 1 or 3\) uint8, found \(4, 4"):
        face_uri(face)
