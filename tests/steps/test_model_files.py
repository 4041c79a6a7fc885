"""A model read from files says what its training run said: as checkpoint, export and graph."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from ferclean.config.methods import METHOD_NAMES
from ferclean.errors import FercleanError
from ferclean.methods import ferclean as ferclean_method
from ferclean.predict.facts import read_facts
from ferclean.steps.chain import train_all_rounds
from ferclean.steps.export_model import export_model
from ferclean.steps.model_files import read_model
from ferclean.steps.predictions import read_run_predictions
from ferclean.steps.run_places import only_model, place_of
from ferclean.tables.atomic import write_json
from ferclean.tables.face_packs import read_face_pack
from ferclean.tables.labels import read_label_table
from fixtures.models import write_model
from fixtures.small_data import CLASSES, run_files, small_settings, write_small_data

SETTING = "symmetric-0.3-seed0"
# Settings that change the networks or what is made of them: a model must carry them.
OWN = {
    "resup": {"test_network": "first"},
    "sampling_softmax": {"members": 3, "split": "gaussian_logits"},
    "dmue": {"branch_width": 40},
    "rul": {"width": 24},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The workflow's folders with the small data's faces and labels."""
    root = tmp_path_factory.mktemp("run") / "results"
    for name in (f"noise/{SETTING}", "prepare/align"):
        (root / name).mkdir(parents=True)
    faces, labels = write_small_data(root)
    faces.rename(root / "prepare" / "align" / "faces.pack")
    labels.rename(root / "noise" / SETTING / "labels.parquet")
    write_json(root / "prepare/align/summary.json", {"detector": "mtcnn", "margin": 0.25})
    return root


@pytest.fixture
def trained(results, monkeypatch):
    """Train a method for a few epochs in that folder; return its last checkpoint."""

    def train(method: str):
        monkeypatch.chdir(results.parent)
        folders = [results / kind / SETTING / method for kind in ("pretrain", "denoise")]
        checkpoint = folders[1] / "round_1" / "checkpoint.pt"
        if not checkpoint.is_file():
            settings = small_settings(
                methods={method: OWN.get(method, {})}, rounds=1, precision="float32"
            )
            faces, labels = results / "prepare/align/faces.pack", labels_of(results)
            files = run_files(faces, labels, method, settings)
            train_all_rounds(files, pretrained=folders[0], denoised=folders[1])
        return checkpoint

    return train


def labels_of(results):
    return results / "noise" / SETTING / "labels.parquet"


def held_out(results):
    table = read_label_table(labels_of(results))
    table = table.take(table.in_split("val", "test"))
    rows = table.frame["face_row"].to_numpy()
    return table, np.asarray(read_face_pack(results / "prepare/align/faces.pack")[rows])


@pytest.mark.slow
@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_checkpoint_and_its_export_predict_what_training_noted(
    method, results, trained, tmp_path
):
    checkpoint = trained(method)
    table, faces = held_out(results)
    noted = read_run_predictions([checkpoint.parent])
    model = read_model(checkpoint, "cpu")
    assert model.facts.classes == CLASSES and model.facts.epochs == 3
    said, doubts = model.predict(faces)
    np.testing.assert_allclose(said, noted.of_rows(table)[-1], atol=1e-6)
    for name, values in noted.doubts_of_rows(table).items():
        np.testing.assert_allclose(doubts[name], values, atol=1e-5)
    assert all(values.shape == (len(faces),) for values in doubts.values())
    export_model(model=checkpoint, output=tmp_path / "model", onnx=False)
    again = read_model(tmp_path / "model", "cpu")
    np.testing.assert_array_equal(again.predict(faces)[0], said)
    assert again.facts.preprocessing == model.facts.preprocessing


def translating(monkeypatch):
    """Make ferclean translate, which so little training would not bring about."""
    monkeypatch.setattr(ferclean_method, "direction", lambda _: 0.7)
    monkeypatch.setattr(ferclean_method.Ferclean, "_remedy", lambda *_: 0.8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    ["cross_entropy", "ferclean", "sampling_softmax", "scn", "confident_learning", "dmue", "eac"],
)
def test_the_graph_says_what_the_model_says(method, results, trained, tmp_path, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime", reason="runs the exported graph")
    onnx = pytest.importorskip("onnx", reason="writes the graph")
    pytest.importorskip("onnxscript", reason="torch.onnx asks for it")
    checkpoint = trained(method)
    translating(monkeypatch)
    export_model(model=checkpoint, output=tmp_path / "model", onnx=True)
    model = read_model(tmp_path / "model", "cpu")
    session = onnxruntime.InferenceSession(tmp_path / "model" / "model.onnx")
    (entry,), (out,) = session.get_inputs(), session.get_outputs()
    assert (entry.name, entry.type, out.name) == ("faces", "tensor(uint8)", "probabilities")
    assert entry.shape[1:] == [24, 24, 1] and isinstance(entry.shape[0], str)
    _, faces = held_out(results)
    for rows in (1, 2, 7, len(faces)):
        (graph,) = session.run(None, {"faces": faces[:rows]})
        np.testing.assert_allclose(graph, model.predict(faces[:rows])[0], atol=1e-5)
    # A graph that forgot the pictures would say the same of all.
    assert np.ptp(graph, axis=0).max() > 1e-3
    told = {e.key: e.value for e in onnx.load(tmp_path / "model" / "model.onnx").metadata_props}
    assert tuple(json.loads(told["classes"])) == CLASSES
    assert read_facts(json.loads(told["ferclean"]), "onnx").preprocessing.margin == 0.25


@pytest.mark.slow
def test_the_graph_of_a_model_for_colours_normalises_each_channel(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="runs the exported graph")
    pytest.importorskip("onnxscript", reason="torch.onnx asks for it")
    write_model(tmp_path / "m", backbone="resnet18_3x3", channels=3, size=32)
    values = [[0.4, 0.5, 0.6], [0.2, 0.3, 0.4]]
    edit(tmp_path / "m" / "model.json", preprocessing__normalise_mean=values[0])
    edit(tmp_path / "m" / "model.json", preprocessing__normalise_scale=values[1])
    export_model(model=tmp_path / "m", output=tmp_path / "again", onnx=True)
    faces = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    said, _ = read_model(tmp_path / "again", "cpu").predict(faces)
    session = onnxruntime.InferenceSession(tmp_path / "again" / "model.onnx")
    (graph,) = session.run(None, {"faces": faces})
    np.testing.assert_allclose(graph, said, atol=1e-5)
    (swapped,) = session.run(None, {"faces": faces[..., ::-1].copy()})
    assert np.abs(swapped - said).max() > 1e-4


def test_the_side_car_tells_where_the_model_comes_from(results, trained, tmp_path):
    checkpoint = trained("cross_entropy")
    export_model(model=checkpoint, output=tmp_path / "model", onnx=False)
    told = json.loads((tmp_path / "model" / "model.json").read_text())
    training = told["training"]
    assert training["run"] == f"{SETTING}/cross_entropy" and training["seed"] == 0
    assert training["settings"]["batch_size"] == 32
    table, faces = held_out(results)
    val = table.frame["split"].to_numpy() == "val"
    said, _ = read_model(checkpoint, "cpu").predict(faces[val])
    right = (said.argmax(axis=1) == table.codes("observed")[val]).mean()
    assert training["metrics"] == {"val_rows": int(val.sum()), "val_accuracy_observed": right}
    assert told["preprocessing"]["margin"] == 0.25
    assert "not what a person feels" in told["intended_use"]
    # Exported once more it still tells the same; no file of the run is needed.
    export_model(model=tmp_path / "model", output=tmp_path / "again", onnx=False)
    for name in ("model.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def edit(path, **changes):
    told = json.loads(path.read_text())
    for key, value in changes.items():
        *parents, last = key.split("__")
        place = told
        for name in parents:
            place = place[name]
        place[last] = value
    path.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"classes": ["a", "b"]},
            r"weight 'classifier.weight' is \(3, 128\), but this model's is \(2, 128\)",
        ),
        ({"classes": ["a", "a", "b"]}, "at least two different names"),
        ({"networks": 2}, "cross_entropy has 1 networks by its settings, found 1"),
        ({"backbone": {"name": "resnet18"}}, "lacks the weight"),
        ({"backbone": {"name": "tiny49"}}, "did you mean 'tiny48'"),
        ({"method": {"name": "smr", "settings": {}}}, "smr has 2 networks"),
        ({"method": {"name": "smr", "settings": {"x": 1}}}, "unknown key in methods.smr 'x'"),
        ({"method": 3}, "method must hold name and settings"),
        ({"preprocessing__channels": 2}, "channels must be 1 or 3"),
        (
            {"preprocessing__channels": 3},
            r"is \(32, 1, 3, 3\), but this model's is \(32, 3, 3, 3\)",
        ),
        ({"preprocessing__size": 48}, "template is not that of its size and margin"),
        ({"preprocessing__size": 10**9}, "preprocessing.size must be at most 4096"),
        ({"preprocessing__normalise_mean": [0.1, 0.2]}, "one number or one a channel"),
        ({"preprocessing": []}, "preprocessing must be a mapping"),
        ({"preprocessing": {"size": 24}}, r"preprocessing.channels is missing"),
        ({"format": "other"}, "does not describe a ferclean model"),
        ({"epochs": -1}, "model.epochs must be at least 0"),
        ({"surprise": 1}, "unknown key in model 'surprise'"),
    ],
)
def test_a_side_car_that_does_not_fit_is_told_in_a_sentence(changes, sentence, trained, tmp_path):
    export_model(model=trained("cross_entropy"), output=tmp_path / "m", onnx=False)
    edit(tmp_path / "m" / "model.json", **changes)
    with pytest.raises(FercleanError, match=sentence) as told:
        read_model(tmp_path / "m", "cpu")
    assert str(tmp_path) in str(told.value) and "\n" not in str(told.value)


def test_weights_that_do_not_fit_are_told_in_a_sentence(trained, tmp_path):
    from safetensors.torch import load_file, save_file

    export_model(model=trained("cross_entropy"), output=tmp_path / "m", onnx=False)
    path = tmp_path / "m" / "model.safetensors"
    good = load_file(path)
    bad = {
        "lacks the weight 'classifier.bias'": lambda w: w.pop("networks.0.classifier.bias"),
        "holds the weight 'other'": lambda w: w.update({"networks.0.other": torch.zeros(1)}),
        "which is no weight of a ferclean model": lambda w: w.update(other=torch.zeros(1)),
        "must number its networks from 0": lambda w: w.update({"networks.5.x": torch.zeros(1)}),
    }
    for sentence, change in bad.items():
        weights = dict(good)
        change(weights)
        save_file(weights, path)
        with pytest.raises(FercleanError, match=sentence):
            read_model(path, "cpu")
    good["networks.0.classifier.bias"] += 1
    save_file(good, path)
    with pytest.raises(FercleanError, match=r"not the file that model\.json beside it describes"):
        read_model(path, "cpu")
    path.write_bytes(b"no tensors")
    with pytest.raises(FercleanError, match="not a readable safetensors file"):
        read_model(path, "cpu")
    (tmp_path / "m" / "model.json").unlink()
    with pytest.raises(FercleanError, match=r"cannot read .*model\.json"):
        read_model(path, "cpu")
    with pytest.raises(FercleanError, match="there is no model at"):
        read_model(tmp_path / "nothing", "cpu")


def test_a_checkpoint_that_is_none_is_told(trained, tmp_path):
    whole = torch.load(trained("cross_entropy"), weights_only=True)
    whole["networks"] = [1]
    for number, content in enumerate([{}, [1], {"identity": {}, "networks": []}, whole]):
        path = tmp_path / f"{number}.pt"
        torch.save(content, path)
        with pytest.raises(FercleanError, match="is not a checkpoint of ferclean"):
            read_model(path, "cpu")
    content = torch.load(trained("cross_entropy"), weights_only=True)
    del content["networks"][0]["classifier.bias"]
    torch.save(content, tmp_path / "short.pt")
    with pytest.raises(FercleanError, match=r"lacks the weight 'classifier\.bias'"):
        read_model(tmp_path / "short.pt", "cpu")


def test_an_existing_folder_is_not_written_over(trained, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(FercleanError, match="exists already"):
        export_model(model=trained("cross_entropy"), output=tmp_path / "mine", onnx=False)
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_the_one_run_is_found_and_several_are_listed(trained, tmp_path, results):
    checkpoint = trained("cross_entropy")
    mine = tmp_path / "results"
    with pytest.raises(FercleanError, match="no trained model in"):
        only_model(mine)

    def put(place):
        (mine / place).mkdir(parents=True)
        shutil.copy(checkpoint, mine / place)
        return mine / place / "checkpoint.pt"

    control = put(f"pretrain/{SETTING}/cross_entropy")
    assert only_model(mine) == control
    put(f"denoise/{SETTING}/smr/round_2")
    last = put(f"denoise/{SETTING}/smr/round_10")
    assert only_model(mine) == last
    put(f"denoise/{SETTING}/resup/round_1")
    with pytest.raises(FercleanError, match=f"several runs .{SETTING}/resup, {SETTING}/smr"):
        only_model(mine)


def test_a_run_is_told_by_its_folders(tmp_path):
    at = tmp_path / "results/denoise/none-0-seed0/smr/round_3/checkpoint.pt"
    place = place_of(at)
    assert place.run == "none-0-seed0/smr"
    assert place.aligned == tmp_path / "results/prepare/align"
    assert place.labels == tmp_path / "results/noise/none-0-seed0/labels.parquet"
    audited = place_of(tmp_path / "out/work/denoise/round_3/checkpoint.pt")
    assert (audited.run, audited.aligned) == (None, tmp_path / "out/work/align")
    assert place_of(tmp_path / "checkpoint.pt") is None
    assert place_of(tmp_path / "pretrain/mine/smr/checkpoint.pt") is None
