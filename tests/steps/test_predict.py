"""``ferclean predict`` from the command line, with a model that was never trained."""

from __future__ import annotations

import csv
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

from ferclean.cli.app import main
from ferclean.faces.cut import cut_faces
from ferclean.predict.facts import Preprocessing
from ferclean.steps import predict as step
from ferclean.steps.model_files import read_model
from fixtures.models import CLASSES, write_model
from fixtures.rendered_pictures import rendered_pictures

pytest.importorskip("safetensors", reason="models are exported in this format")


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "model")


@pytest.fixture
def photos(tmp_path):
    """Two faces side by side, one alone, none at all, and no picture."""
    pytest.importorskip("facenet_pytorch", reason="holds the weights of MTCNN")
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    one, two = rendered_pictures(2)
    Image.fromarray(np.concatenate([one, two], axis=1)).save(folder / "both.png")
    Image.fromarray(one).save(folder / "deep" / "one.jpg", quality=98)
    Image.new("RGB", (80, 60), "white").save(folder / "blank.bmp")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not meant")
    return folder


@pytest.fixture
def ferclean(monkeypatch, capsys):
    def call(*given):
        monkeypatch.setattr(sys, "argv", ["ferclean", *map(str, given)])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return call


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_every_face_of_every_photograph_is_told(model, photos, ferclean):
    code, out, err = ferclean("predict", photos, "--model", model, "--json")
    both, one = photos / "both.png", photos / "deep/one.jpg"
    found = {entry["path"]: entry for entry in lines(out)}
    assert list(found) == [
        str(photos / name) for name in ("blank.bmp", "both.png", "broken.jpg")
    ] + [str(one)]
    # A blank picture is a result; one that cannot be read is too, but changes the exit code.
    assert code == 1 and "4 photographs: 3 faces, 1 without a face, 1 cannot be read" in err
    assert found[str(photos / "blank.bmp")]["status"] == "no_face"
    broken = found[str(photos / "broken.jpg")]
    assert (broken["status"], broken["reason"]) == (
        "unreadable",
        "not a picture in a supported format",
    )
    assert broken["faces"] == [] and broken["width"] is None
    assert (found[str(both)]["width"], found[str(both)]["height"]) == (320, 160)
    left, right = sorted(found[str(both)]["faces"], key=lambda face: face["box"][0])
    assert left["box"][2] < 160 < right["box"][0] + 20
    for face in (left, right, *found[str(one)]["faces"]):
        assert tuple(face["scores"]) == CLASSES
        assert sum(face["scores"].values()) == pytest.approx(1, abs=1e-5)
        assert face["label"] == max(face["scores"], key=face["scores"].get)
        assert set(face["uncertainty"]) == {"entropy"}
        assert face["landmarks"]["left_eye"][0] < face["landmarks"]["right_eye"][0]
        assert 0.7 < face["detection_score"] <= 1
    assert "predict: 4/4" in err


def test_faces_are_cut_as_the_align_step_cuts_them(model, photos, ferclean):
    from ferclean.faces.mtcnn import MtcnnDetector

    _, out, _ = ferclean("predict", photos / "deep/one.jpg", "--model", model, "--json")
    picture = np.asarray(Image.open(photos / "deep/one.jpg"))
    settings = Preprocessing(size=48).align_settings()
    (cut,) = cut_faces([picture], detector=MtcnnDetector(), settings=settings)
    expected, _ = read_model(model, "cpu").predict(cut.pixels[None])
    (face,) = lines(out)[0]["faces"]
    assert list(face["scores"].values()) == pytest.approx(expected[0].tolist(), abs=1e-5)
    _, wide, _ = ferclean(
        "predict", photos / "deep/one.jpg", "--model", model, "--json", "--margin", "0.5"
    )
    assert lines(wide)[0]["faces"][0]["scores"] != face["scores"]


def test_cut_faces_need_no_detector(tmp_path, ferclean):
    model = write_model(tmp_path / "model", method="sampling_softmax", detector="already_aligned")
    pixels = np.random.default_rng(0).integers(0, 255, (48, 60), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "face.png")
    code, out, err = ferclean(
        "predict", tmp_path / "face.png", "--model", model, "--aligned", "--json"
    )
    (face,) = lines(out)[0]["faces"]
    assert code == 0 and face["box"] is None and face["landmarks"] is None
    assert set(face["uncertainty"]) == {"aleatoric", "epistemic", "total"}
    square = pixels[None, :, 6:54, None]  # the largest centred one
    expected, doubts = read_model(model, "cpu").predict(square)
    assert list(face["scores"].values()) == pytest.approx(expected[0].tolist(), abs=1e-5)
    assert face["uncertainty"]["epistemic"] == pytest.approx(doubts["epistemic"][0], abs=1e-5)
    assert "cut before" not in err


def test_many_photographs_come_in_order_whatever_is_looked_at_together(
    model, tmp_path, ferclean, monkeypatch
):
    random = np.random.default_rng(1)
    for number in range(11):
        size = (int(random.integers(20, 60)), int(random.integers(20, 60)))
        Image.fromarray(random.integers(0, 255, size, dtype=np.uint8)).save(
            tmp_path / f"{number:02d}.png"
        )
    (tmp_path / "05.png").write_bytes(b"")
    command = ("predict", tmp_path / "*.png", "--model", model, "--aligned", "--json")
    _, together, _ = ferclean(*command)
    monkeypatch.setattr(step, "_PIXELS_TOGETHER", 3000)
    _, apart, _ = ferclean(*command)
    assert [entry["path"][-6:-4] for entry in lines(apart)] == [f"{n:02d}" for n in range(11)]
    for one, other in zip(lines(together), lines(apart), strict=True):
        assert one["status"] == other["status"]
        for face, again in zip(one["faces"], other["faces"], strict=True):
            assert face["scores"] == pytest.approx(again["scores"], abs=2e-6)


def test_csv_has_a_row_a_face_and_one_where_there_is_none(model, photos, ferclean):
    code, out, _ = ferclean("predict", photos, "--model", model, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 1 and len(rows) == 5
    assert [row["status"] for row in rows] == ["no_face", "faces", "faces", "unreadable", "faces"]
    assert [row["face"] for row in rows] == ["", "1", "2", "", "1"]
    for row in rows:
        if row["face"]:
            assert sum(float(row[f"p_{name}"]) for name in CLASSES) == pytest.approx(1, abs=1e-5)
            assert float(row["box_x1"]) < float(row["landmark_nose_x"]) < float(row["box_x2"])


def test_the_screen_shows_a_table(model, photos, ferclean, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = ferclean("predict", photos, "--model", model)
    text = out.splitlines()
    assert "no face found" in out and "entropy" in text[0] and "size" not in text[0]
    assert any("one.jpg" in line and "%" in line for line in text)
    monkeypatch.chdir(photos)
    _, mixed, _ = ferclean("predict", "blank.bmp", photos / "deep", "--model", model)
    assert any(line.startswith("deep/one.jpg") for line in mixed.splitlines())
    monkeypatch.setenv("COLUMNS", "130")
    _, wide, _ = ferclean("predict", photos, "--model", model)
    assert "size" in wide.splitlines()[0]


def test_annotated_photographs_go_to_a_new_folder(model, photos, ferclean, tmp_path):
    (photos / "deep" / "both.gif").write_bytes((photos / "both.png").read_bytes())
    before = {file: file.read_bytes() for file in photos.rglob("*") if file.is_file()}
    folder = tmp_path / "seen"
    command = ("predict", photos, "--model", model, "--json", "--annotate")
    ferclean(*command, folder)
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["blank.jpg", "both-2.jpg", "both.jpg", "one.jpg"]
    # Small pictures are enlarged, so that a label can be read.
    assert Image.open(folder / "both.jpg").size == (480, 240)
    code, _, err = ferclean(*command, folder)
    assert code == 2 and "--annotate must be a new or an empty folder" in err
    code, _, err = ferclean(*command, photos)
    assert code == 2
    assert {file: file.read_bytes() for file in before} == before


def test_without_a_model_the_one_run_is_taken_or_the_way_out_is_told(
    tmp_path, monkeypatch, ferclean
):
    Image.new("L", (48, 48)).save(tmp_path / "face.png")
    monkeypatch.chdir(tmp_path)
    code, _, err = ferclean("predict", "face.png")
    assert code == 2 and "name one with --model" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["nowhere.jpg"], "there is no photograph at nowhere.jpg"),
        (["*.webp"], "there is no photograph at *.webp"),
        (["face.png", "--json", "--csv"], "exclude each other"),
        (["face.png", "--margin", "2"], "--margin must lie between 0 and 1"),
        (["face.png", "--margin", "0.2", "--aligned"], "goes without --aligned"),
        (["face.png", "--model", "nothing"], "there is no model at nothing"),
        (["face.png", "--model", "face.png"], "not a readable checkpoint"),
    ],
)
def test_mistakes_are_told_in_a_sentence(options, sentence, tmp_path, monkeypatch, ferclean):
    Image.new("L", (48, 48)).save(tmp_path / "face.png")
    monkeypatch.chdir(tmp_path)
    code, out, err = ferclean("predict", *options)
    assert code == 2 and out == "" and sentence in err and err.count("\n") == 1
