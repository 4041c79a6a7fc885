from __future__ import annotations

import io
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ferclean.config.load import build_settings
from ferclean.errors import FercleanError
from ferclean.faces.warp import centre_square
from ferclean.steps import align as step
from ferclean.steps.align import align
from ferclean.tables.atomic import read_json
from ferclean.tables.face_packs import read_face_pack
from ferclean.tables.labels import make_table, read_label_table, write_label_table
from ferclean.threads import ordered_map
from fixtures.packs import write_encoded_pack
from fixtures.rendered_pictures import rendered_pictures

CLASSES = ("happy", "sad")


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def blank(height=50, width=60):
    return png(np.full((height, width, 3), 128, dtype=np.uint8))


def run(folder, encoded, **options):
    """Write ingest's files for some pictures, align them, return the table, faces, quarantine."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"s{row:03d}" for row in range(len(encoded))]
    frame = pd.DataFrame(
        {
            "sample_id": names,
            "path": [f"in/{name}.png" for name in names],
            "split": ["train", "val", "test"][:1] * (len(names) - len(names) // 2)
            + ["test"] * (len(names) // 2),
            "given": ["happy"] * len(names),
        }
    )
    write_label_table(make_table(frame, CLASSES, "tiny"), folder / "samples.parquet")
    write_encoded_pack(folder / "pictures.arrow", zip(names, encoded, strict=True))
    align(
        samples=folder / "samples.parquet",
        pictures=folder / "pictures.arrow",
        output=folder / "out",
        settings=build_settings(
            {"data": {"max_pixels": 50_000}, "align": options}, ["data", "align"]
        ),
    )
    out = folder / "out"
    return (
        read_label_table(out / "samples.parquet"),
        read_face_pack(out / "faces.pack"),
        pd.read_csv(out / "quarantine.csv"),
    )


def test_already_aligned_pictures_pass_unchanged_with_null_columns(tmp_path):
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (4, 48, 48), dtype=np.uint8)
    encoded = [png(picture) for picture in pixels]
    options = {"detector": "already_aligned", "size": 48, "color": "grey"}
    table, faces, quarantine = run(tmp_path, encoded, **options)
    np.testing.assert_array_equal(faces[..., 0], pixels)
    added = table.frame.filter(regex=r"^(box|landmark)_|^detection_score$|^faces_found$")
    assert added.shape == (4, 16)
    assert added.isna().all(axis=None)
    assert len(quarantine) == 0
    summary = read_json(tmp_path / "out" / "summary.json")
    assert summary["splits"]["train"]["detection_rate"] is None


@pytest.mark.parametrize(("pack", "error"), [("png", 0), ("jpeg", 3)])
@pytest.mark.parametrize("color", ["rgb", "grey"])
def test_compressed_packs_hold_the_same_faces(tmp_path, pack, error, color):
    encoded = [*(png(face) for face in rendered_pictures(5)), b"broken", blank()]
    options = {"detector": "already_aligned", "size": 64, "color": color}
    raw, faces, _ = run(tmp_path / "raw", encoded, **options)
    table, found, _ = run(tmp_path / pack, encoded, **options, pack=pack)
    pd.testing.assert_frame_equal(table.frame, raw.frame)
    assert found.shape == faces.shape == (6, 64, 64, 3 if color == "rgb" else 1)
    assert np.abs(found[:].astype(int) - faces).mean() <= error
    assert read_json(tmp_path / pack / "out" / "summary.json")["pack"] == pack


def test_mtcnn_end_to_end(tmp_path, monkeypatch):
    pytest.importorskip("facenet_pytorch")
    pictures = rendered_pictures(5)
    encoded = [png(pictures[0]), blank(), b"\x89PNG broken", *map(png, pictures[1:]), b""]
    table, faces, quarantine = run(tmp_path / "first", encoded, size=64)
    assert faces.shape == (len(table), 64, 64, 3)
    assert table.frame["faces_found"].ge(1).all()
    assert table.frame["detection_score"].between(0.7, 1).all()
    eyes = table.frame["landmark_right_eye_x"] - table.frame["landmark_left_eye_x"]
    widths = table.frame["box_x2"] - table.frame["box_x1"]
    assert (eyes > 0.2 * widths).all()
    assert {"s001", "s002", "s007"} <= set(quarantine["sample_id"])
    reasons = quarantine.set_index("sample_id")["reason"]
    assert (reasons["s001"], reasons["s007"]) == ("no face found", "empty file")
    summary = read_json(tmp_path / "first" / "out" / "summary.json")
    assert summary["rows"] == 8 == summary["kept"] + summary["quarantined"]
    assert summary["kept"] == len(table)
    assert summary["splits"]["train"]["detection_rate"] == pytest.approx(2 / 3)
    # Other threads, and several jobs for them: the same bytes.
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(step, "_SAMPLES_PER_JOB", 2)
    run(tmp_path / "second", encoded, size=64)
    for name in ("faces.pack", "samples.parquet", "quarantine.csv", "summary.json"):
        first, second = (tmp_path / turn / "out" / name for turn in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), name


def test_centre_crop_keeps_pictures_without_a_face(tmp_path):
    pytest.importorskip("facenet_pytorch")
    gradient = np.tile(np.arange(90, dtype=np.uint8)[:, None], (50, 1, 3))
    table, faces, quarantine = run(tmp_path, [png(gradient)], size=50, no_face="centre_crop")
    np.testing.assert_array_equal(faces[0], centre_square(gradient, size=50))
    assert table.frame["faces_found"].tolist() == [0]
    assert table.frame["box_x1"].isna().all()
    assert len(quarantine) == 0
    assert read_json(tmp_path / "out" / "summary.json")["centre_cropped"] == 1


def test_error_names_the_sample_and_leaves_no_face_pack(tmp_path):
    pytest.importorskip("facenet_pytorch")
    with pytest.raises(FercleanError, match=r"'s001' \(in/s001.png\).*no_face"):
        run(tmp_path, [png(rendered_pictures(1)[0]), blank()], size=48, no_face="error")
    assert not list((tmp_path / "out").iterdir())


def test_no_face_at_all_says_why(tmp_path):
    with pytest.raises(FercleanError, match=r"none of the 2 pictures.*empty file"):
        run(tmp_path, [b"", b"x"], detector="already_aligned")


def test_a_sample_without_a_picture_is_named(tmp_path):
    run(tmp_path, [blank(), blank()], detector="already_aligned", size=48)
    write_encoded_pack(tmp_path / "pictures.arrow", [("s000", blank())])
    with pytest.raises(FercleanError, match="no picture 's001'"):
        align(
            samples=tmp_path / "samples.parquet",
            pictures=tmp_path / "pictures.arrow",
            output=tmp_path / "out",
            settings=build_settings(
                {"data": {}, "align": {"detector": "already_aligned"}}, ["data", "align"]
            ),
        )


@given(
    kinds=st.lists(
        st.sampled_from(["good", "wide", "empty", "cut", "huge"]), min_size=1, max_size=9
    )
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_in_are_rows_kept_and_rows_quarantined(tmp_path, kinds):
    encoded = {
        "good": blank(48, 48),
        "wide": blank(20, 90),
        "empty": b"",
        "cut": blank()[:60],
        "huge": png(np.zeros((300, 300), dtype=np.uint8)),
    }
    pictures = [encoded[kind] for kind in kinds]
    usable = [kind in ("good", "wide") for kind in kinds]
    options = {"detector": "already_aligned", "size": 48}
    if not any(usable):
        with pytest.raises(FercleanError, match="none of the"):
            run(tmp_path, pictures, **options)
        return
    table, faces, quarantine = run(tmp_path, pictures, **options)
    names = np.array([f"s{row:03d}" for row in range(len(kinds))])
    assert table.frame["sample_id"].tolist() == names[usable].tolist()
    assert quarantine["sample_id"].tolist() == names[np.invert(usable)].tolist()
    assert quarantine["reason"].str.len().gt(0).all()
    assert len(faces) == len(table)


@pytest.mark.parametrize(("given", "workers"), [("1", 1), ("5", 5), ("64", 8)])
def test_pixels_of_many_jobs_stay_with_their_rows(tmp_path, monkeypatch, given, workers):
    used = []

    def watched(function, items, count):
        used.append(count)
        return ordered_map(function, items, count)

    monkeypatch.setattr(step, "ordered_map", watched)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.setattr(step, "_SAMPLES_PER_JOB", 3)
    monkeypatch.setattr(step, "_PIXELS_PER_JOB", 200)
    shades = np.arange(0, 250, 10, dtype=np.uint8)
    encoded = [png(np.full((16, 16, 3), shade)) for shade in shades]
    encoded[7] = b""
    table, faces, _ = run(tmp_path, encoded, detector="already_aligned", size=16)
    expected = [shades[int(name[1:])] for name in table.frame["sample_id"]]
    np.testing.assert_array_equal(faces[:, 0, 0, 0], expected)
    assert used == [workers]


@pytest.mark.parametrize(("key", "value"), [("detection_side", 10), ("size", 8), ("margin", -0.1)])
def test_impossible_settings_are_named(key, value):
    with pytest.raises(FercleanError, match=rf"align.{key} must be"):
        build_settings({"align": {key: value}}, ["align"])


def test_a_missing_detector_package_is_named_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(FercleanError, match=r"facenet_pytorch.*already_aligned"):
        run(tmp_path, [blank()])
