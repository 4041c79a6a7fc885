from __future__ import annotations

import numpy as np
import pytest
import torch

from ferclean.config.training import TrainingSettings
from ferclean.errors import FercleanError
from ferclean.tables.face_packs import encode_face, face_pack_writer, read_face_pack
from ferclean.train import reading
from ferclean.train.reading import FaceReader, stays_on_device
from fixtures.packs import write_faces

CPU = torch.device("cpu")
FACES = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8)


def test_explicit_settings_decide():
    assert stays_on_device((10**9, 3, 224, 224), CPU, "resident")
    assert not stays_on_device((1, 1, 1, 1), CPU, "streamed")


def test_auto_keeps_what_takes_a_quarter_of_the_memory(monkeypatch):
    monkeypatch.setattr(reading, "usable_memory", lambda: 400_000)
    assert stays_on_device((100_000,), CPU, "auto")
    assert not stays_on_device((100_001,), CPU, "auto")
    monkeypatch.setattr(reading, "usable_memory", lambda: None)
    assert not stays_on_device((1,), CPU, "auto")


def test_processes_share_the_machines_memory(monkeypatch):
    monkeypatch.setattr(reading, "usable_memory", lambda: 4000)
    assert stays_on_device((500,), CPU, "auto", processes=2)
    assert not stays_on_device((501,), CPU, "auto", processes=2)


def test_a_broken_face_stops_the_walk(tmp_path):
    with face_pack_writer(tmp_path / "faces.pack", size=16, channels=3, encoding="png") as writer:
        for face in [encode_face(FACES[0], "png")] * 3 + [b"broken"]:
            writer.append(face)
    faces = read_face_pack(tmp_path / "faces.pack")
    reader = FaceReader(faces, device=CPU, settings=TrainingSettings())
    walk = reader.read([np.array([0]), np.array([1]), np.array([3])], lambda rows: rows)
    with pytest.raises(FercleanError, match=r"faces\.pack: face 3 cannot be decoded"):
        list(walk)


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_decoding_on_the_device_needs_one(tmp_path, encoding):
    write_faces(tmp_path / "faces.pack", FACES, encoding)
    settings = TrainingSettings(decode="device")
    with pytest.raises(FercleanError, match=r"training\.decode device needs a GPU"):
        FaceReader(read_face_pack(tmp_path / "faces.pack"), device=CPU, settings=settings)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_reads_the_same_bytes_and_nearly_decodes_them(tmp_path):
    write_faces(tmp_path / "faces.pack", FACES, "jpeg")
    faces, device = read_face_pack(tmp_path / "faces.pack"), torch.device("cuda")
    walk = [np.array([3, 1]), np.array([29]), np.array([7, 7, 0])]
    found = {}
    for decode in ("processor", "device"):
        settings = TrainingSettings(decode=decode)
        reader = FaceReader(faces, device=device, settings=settings)
        found[decode] = [batch.cpu().numpy() for batch in reader.read(walk, lambda rows: rows)]
    for rows, exact, close in zip(walk, found["processor"], found["device"], strict=True):
        np.testing.assert_array_equal(exact, faces[rows].transpose(0, 3, 1, 2))
        assert np.abs(close.astype(int) - exact).max() <= 4
