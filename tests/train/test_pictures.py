from __future__ import annotations

import numpy as np
import pytest
import torch

from ferclean.config.training import AugmentSettings, TrainingSettings
from ferclean.errors import FercleanError
from ferclean.tables.face_packs import read_face_pack
from ferclean.train.augment import augment
from ferclean.train.pictures import Pictures
from fixtures.packs import write_faces

CPU = torch.device("cpu")
ROWS = np.array([5, 0, 39, 17, 2, 11, 30])
WALK = [
    {"labelled": np.array([0, 6]), "unlabelled": np.array([3, 3, 1])},
    {"labelled": np.array([2]), "unlabelled": np.array([4, 5, 0])},
    {"labelled": np.array([1, 5]), "unlabelled": np.array([2, 6, 6])},
]


@pytest.fixture(params=["raw", "png", "array"])
def faces(request, tmp_path):
    faces = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)
    if request.param == "array":
        return faces
    write_faces(tmp_path / "faces.pack", faces, request.param)
    return read_face_pack(tmp_path / "faces.pack")


def pictures_of(faces, where, rows=ROWS, threads=1, **settings):
    trainer = TrainingSettings(pictures=where, cpu_threads=threads, **settings)
    return Pictures(faces, rows, device=CPU, settings=trainer)


@pytest.mark.parametrize(("key", "strong"), [("augment", False), ("strong_augment", True)])
def test_too_large_a_shift_is_refused_by_its_own_key(faces, key, strong):
    pictures = pictures_of(faces, "resident", **{key: AugmentSettings(shift=12)})
    batch = torch.zeros(2, 3, 12, 12, dtype=torch.uint8)
    with pytest.raises(FercleanError, match=rf"^training\.{key}\.shift must be below .* 12 pixels"):
        pictures.views(batch, 1, torch.Generator().manual_seed(0), strong=strong)
    pictures.views(batch, 1, torch.Generator().manual_seed(0), strong=not strong)


@pytest.mark.parametrize("where", ["auto", "resident", "streamed"])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_walk_brings_the_rows_it_names(faces, where, threads):
    seen = list(pictures_of(faces, where, threads=threads).fetch(iter(WALK)))
    assert len(seen) == len(WALK)
    for step, found in zip(WALK, seen, strict=True):
        assert list(found) == list(step)
        for name, positions in step.items():
            rows, pictures = found[name]
            np.testing.assert_array_equal(rows.numpy(), positions)
            assert pictures.dtype == torch.uint8
            wanted = faces[ROWS[positions]].transpose(0, 3, 1, 2)
            np.testing.assert_array_equal(pictures.numpy(), wanted)


@pytest.mark.parametrize("where", ["resident", "streamed"])
def test_plain_pictures_come_in_order_and_normalised(faces, where):
    found = list(pictures_of(faces, where).plain(3))
    assert [len(batch) for batch in found] == [3, 3, 1]
    together = torch.cat(found)
    wanted = (faces[ROWS].transpose(0, 3, 1, 2) / 255 - 0.5) / 0.25
    np.testing.assert_allclose(together.numpy(), wanted, atol=1e-5)
    assert found[0].is_contiguous(memory_format=torch.channels_last)
    again = torch.cat(list(pictures_of(faces, where).plain(7)))
    assert torch.equal(again, together)


@pytest.mark.parametrize("where", ["resident", "streamed"])
def test_views_are_augmented_by_the_setting_asked_for(faces, where):
    weak, strong = AugmentSettings(flip=True, shift=2), AugmentSettings(erase=1.0)
    pictures = pictures_of(faces, where, augment=weak, strong_augment=strong)
    found = next(iter(pictures.fetch(WALK)))["unlabelled"][1]
    views = pictures.views(found, 2, torch.Generator().manual_seed(3))
    hard = pictures.views(found, 1, torch.Generator().manual_seed(3), strong=True)
    assert pictures.views(found, 0, torch.Generator()) == ()
    same = torch.Generator().manual_seed(3)
    for view in views:
        wanted = (augment(found, settings=weak, generator=same) / 255 - 0.5) / 0.25
        torch.testing.assert_close(view, wanted, atol=1e-5, rtol=0)
    same = torch.Generator().manual_seed(3)
    wanted = (augment(found, settings=strong, generator=same, fill=127.5) / 255 - 0.5) / 0.25
    torch.testing.assert_close(hard[0], wanted, atol=0.01, rtol=0)  # the fill is rounded


def test_streaming_does_not_read_what_nobody_asks_for():
    class Watched:
        shape = (40, 12, 12, 3)
        asked = 0

        def __len__(self):
            return 40

        def __getitem__(self, rows):
            self.asked += len(rows)
            return np.zeros((len(rows), 12, 12, 3), dtype=np.uint8)

    faces = Watched()
    pictures = pictures_of(faces, "streamed", rows=np.arange(40))
    walk = ({"all": np.array([step])} for step in range(40))
    fetched = pictures.fetch(walk)
    for _ in range(3):
        next(fetched)
    fetched.close()
    assert 3 <= faces.asked <= 8


def test_no_pictures_give_no_batches(faces):
    for where in ("resident", "streamed"):
        pictures = pictures_of(faces, where, rows=ROWS[:0])
        assert len(pictures) == 0
        assert list(pictures.plain(4)) == []
