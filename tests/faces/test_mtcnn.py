from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ferclean.datasets.pictures import decode_picture
from ferclean.faces.select import select_face
from ferclean.faces.template import face_template, similarity_transform
from ferclean.faces.warp import warp_face
from fixtures.rendered_pictures import rendered_pictures

pytest.importorskip("facenet_pytorch")
from ferclean.faces.mtcnn import MtcnnDetector, load_networks, shrink


@pytest.fixture(scope="module")
def detector():
    return MtcnnDetector(device="cpu")


def test_filling_channels_changes_no_output():
    from facenet_pytorch import MTCNN

    mine, library = load_networks(torch.device("cpu")), MTCNN()
    generator = torch.Generator().manual_seed(0)
    for name, size in (("pnet", 40), ("rnet", 24), ("onet", 48)):
        pixels = torch.randn((4, 3, size, size), generator=generator)
        with torch.inference_mode():
            pairs = zip(getattr(mine, name)(pixels), getattr(library, name)(pixels), strict=True)
            for one, other in pairs:
                torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_mixed_sizes_come_back_in_order_and_as_if_alone(detector):
    pictures = [*rendered_pictures(5)]
    pictures.insert(1, np.zeros((90, 200, 3), dtype=np.uint8))
    pictures.insert(3, np.pad(pictures[0], ((40, 0), (30, 0), (0, 0)), mode="edge"))
    found = detector.detect(pictures)
    assert len(found[1]) == 0
    assert sum(len(faces) > 0 for faces in found) >= 5
    for faces, picture in zip(found, pictures, strict=True):
        alone = detector.detect([picture])[0]
        np.testing.assert_allclose(faces.boxes, alone.boxes, atol=0.02)
        np.testing.assert_allclose(faces.landmarks, alone.landmarks, atol=0.02)
    np.testing.assert_allclose(found[3].landmarks[0], found[0].landmarks[0] + (30, 40), atol=4)


def test_results_do_not_depend_on_threads_which_stay_as_they_were():
    pictures, before, found = list(rendered_pictures(12)), torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(MtcnnDetector(device="cpu").detect(pictures))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one.landmarks, other.landmarks)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_nothing_in_nothing_out(detector):
    assert detector.detect([]) == []


def test_large_pictures_are_searched_reduced_and_told_in_full_pixels():
    small = rendered_pictures(1)[0]
    large = np.asarray(Image.fromarray(small).resize((640, 640), Image.Resampling.BICUBIC))
    faces = MtcnnDetector(device="cpu", longest_side=160).detect([small, large])
    assert len(faces[0]) == len(faces[1]) == 1
    np.testing.assert_allclose(faces[1].landmarks, faces[0].landmarks * 4, atol=8)


def test_shrink_keeps_small_pictures_and_proportions():
    picture = np.zeros((100, 50, 3), dtype=np.uint8)
    assert shrink(picture, longest_side=100) is picture
    assert shrink(picture, longest_side=40).shape == (40, 20, 3)
    assert shrink(np.zeros((1, 5000, 3), dtype=np.uint8), longest_side=64).shape == (1, 64, 3)


def test_an_exif_rotated_picture_is_aligned_like_the_upright_one(detector):
    upright = rendered_pictures(1)[0]
    turned, exif = Image.fromarray(np.rot90(upright)), Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must be turned clockwise
    stream = io.BytesIO()
    turned.save(stream, "PNG", exif=exif)
    decoded = decode_picture(stream.getvalue(), max_pixels=10**6)
    np.testing.assert_array_equal(decoded, upright)
    one, other = detector.detect([upright, decoded])
    np.testing.assert_array_equal(one.landmarks, other.landmarks)


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "faces"),
    [
        ("biden", 1),
        ("obama", 1),
        ("darwin_plate_1", 6),
        ("darwin_plate_2", 6),
        ("darwin_plate_3", 6),
        ("darwin_plate_4", 2),
    ],
)
def test_faces_in_photographs_are_found_and_upright_after_the_warp(
    shared_data_dir, detector, name, faces
):
    data = (shared_data_dir / "photos" / f"{name}.jpg").read_bytes()
    picture = decode_picture(data, max_pixels=10**8)
    found = detector.detect([picture])[0]
    sure = found.take(found.scores > 0.9)
    assert len(sure) == faces
    chosen = select_face(sure, policy="highest_score", height=1, width=1)
    template = face_template(160, margin=0.25)
    aligned = warp_face(picture, similarity_transform(sure.landmarks[chosen], template), size=160)
    again = detector.detect([aligned])[0]
    assert len(again) >= 1
    best = again.landmarks[np.argmax(again.scores)]
    # Found again where the template wants them: within 6 % of the face's size.
    assert np.abs(best - template).max() < 0.06 * 160
