from __future__ import annotations

import dataclasses
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from ferclean.config.data import CANONICAL_CLASSES, DataSettings, RenderedSettings
from ferclean.datasets.rendered import iterate_rendered, plan_faces, read_rendered, reader
from ferclean.errors import FercleanError

SMALL = DataSettings(rendered=RenderedSettings(pictures=40, image_size=64))


def test_table_and_pictures_go_together():
    frame, pictures = read_rendered(SMALL)
    assert list(frame.columns) == [
        "sample_id", "path", "split", "given", "true",
        *(f"true_p_{name}" for name in CANONICAL_CLASSES), "identity",
    ]  # fmt: skip
    assert (frame["given"] == frame["true"]).all()
    assert frame["path"].iloc[12] == "rendered/face-00012.jpg"
    drawn = list(pictures)
    assert [sample_id for sample_id, _ in drawn] == list(frame["sample_id"])
    for _, data in drawn:
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (64, 64)
            assert image.mode == "RGB"


@pytest.mark.slow
def test_bytes_depend_on_the_seed_only():
    first = list(read_rendered(SMALL)[1])
    assert first == list(read_rendered(SMALL)[1])
    reseeded = dataclasses.replace(SMALL.rendered, seed=1)
    other = list(read_rendered(dataclasses.replace(SMALL, rendered=reseeded))[1])
    assert all(a != b for (_, a), (_, b) in zip(first, other, strict=True))


@pytest.mark.slow
def test_several_processes_draw_the_same_bytes():
    plan = plan_faces(RenderedSettings(pictures=70), CANONICAL_CLASSES)
    alone = list(iterate_rendered(plan, 64, workers=1))
    assert list(iterate_rendered(plan, 64, workers=2)) == alone
    assert list(iterate_rendered(plan.iloc[::-1], 64, workers=1)) == alone[::-1]


@pytest.mark.parametrize(("given", "processes"), [("1", None), ("2", 2), ("64", 4)])
def test_as_many_processes_draw_as_are_given_and_pay(monkeypatch, given, processes):
    started = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers, mp_context):
            started.append(workers)
            super().__init__(workers)

    monkeypatch.setattr(reader, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(reader, "_PICTURES_PER_WORKER", 10)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    drawn = list(read_rendered(SMALL)[1])
    assert started == ([] if processes is None else [processes])
    assert drawn == list(read_rendered(SMALL, workers=1)[1])


def test_classes_keep_their_order_and_unknown_ones_are_named():
    chosen = dataclasses.replace(SMALL, classes=("sad", "happy", "angry"))
    frame, _ = read_rendered(chosen)
    assert set(frame["true"]) == {"sad", "happy", "angry"}
    assert list(frame.columns[5:8]) == ["true_p_sad", "true_p_happy", "true_p_angry"]
    with pytest.raises(FercleanError, match="'contempt'"):
        read_rendered(dataclasses.replace(SMALL, classes=("happy", "contempt")))


@pytest.mark.slow
def test_mtcnn_finds_the_faces():
    mtcnn = pytest.importorskip("facenet_pytorch").MTCNN(min_face_size=20, device="cpu")
    plan = plan_faces(RenderedSettings(), CANONICAL_CLASSES)
    sample = plan.iloc[:: len(plan) // 63]
    pictures = [
        np.asarray(Image.open(io.BytesIO(data)))
        for _, data in iterate_rendered(sample, 160, workers=1)
    ]
    boxes, _ = mtcnn.detect(pictures)
    found = sum(box is not None for box in boxes)
    assert len(pictures) >= 63
    assert found >= 0.97 * len(pictures)
