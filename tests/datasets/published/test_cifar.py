from __future__ import annotations

import pickle
import shutil

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from ferclean.datasets.pictures import decode_picture
from ferclean.datasets.published import cifar
from ferclean.datasets.published.cifar import CIFAR10, CIFAR100, read_cifar10, read_cifar100
from ferclean.errors import FercleanError
from fixtures.cifar_files import (
    SETS,
    TEST,
    TRAIN,
    Command,
    ingest,
    planes,
    put_set,
    read,
    settings_of,
    table_of,
)
from fixtures.picture_files import smooth_pixels

BOTH = pytest.mark.parametrize("name", ["cifar10", "cifar100"])
FORMS = pytest.mark.parametrize("form", ["pickles", "binary"])


@BOTH
def test_facts_are_the_publishers(name):
    facts = SETS[name]
    assert facts.name == name and facts.first_number == 0
    assert len(set(facts.classes)) == len(facts.classes) == int(name.removeprefix("cifar"))
    assert {split: sum(counts) for split, counts in facts.counts.items()} == dict(facts.rows)
    assert dict(facts.rows) == {"train": 50000, "test": 10000}
    assert {len(counts) for counts in facts.counts.values()} == {len(facts.classes)}


def test_classes_stand_in_the_publishers_order():
    assert CIFAR10.classes[3:7] == ("cat", "deer", "dog", "frog")
    assert list(CIFAR100.classes) == sorted(CIFAR100.classes)
    # Numbers that are easily looked up elsewhere; one lost or added name would move them.
    wanted = {0: "apple", 11: "boy", 19: "cattle", 29: "dinosaur", 86: "telephone", 99: "worm"}
    assert {number: CIFAR100.classes[number] for number in wanted} == wanted


@BOTH
@FORMS
def test_rows_are_in_the_publishers_order(tmp_path, name, form):
    folder = put_set(tmp_path / "data", name, form)
    frame = read(tmp_path / "data", name).frame
    classes = SETS[name].classes
    assert frame["given"].tolist() == [classes[number] for number in TRAIN + TEST]
    assert frame["split"].tolist() == ["train"] * 10 + ["test"] * 3
    assert frame["sample_id"].tolist() == [
        *(f"{name}-train-{row:05d}" for row in range(10)),
        *(f"{name}-test-{row:05d}" for row in range(3)),
    ]
    suffix = ".bin" if form == "binary" else ""
    file, row = ("data_batch_2", 1) if name == "cifar10" else ("train", 3)
    assert frame["path"][3] == f"{folder.name}/{file}{suffix}#{row}"
    assert frame["path"].is_unique
    assert frame["reason"].isna().all() and "true" not in frame


@BOTH
@FORMS
def test_pictures_are_lossless_and_made_one_by_one(tmp_path, name, form, monkeypatch):
    put_set(tmp_path / "data", name, form)
    source = read(tmp_path / "data", name)
    made = []
    monkeypatch.setattr(cifar.Image, "fromarray", lambda a: made.append(1) or from_array(a))
    first = next(source.pictures)
    assert len(made) == 1
    found = dict([first, *source.pictures])
    assert list(found) == list(range(13))
    for row, data in found.items():
        assert data.startswith(b"\x89PNG")
        pixels = decode_picture(data, max_pixels=1024)
        np.testing.assert_array_equal(pixels, smooth_pixels(row, 32, 3))


from_array = Image.fromarray


@BOTH
def test_both_forms_give_the_same(tmp_path, name):
    for form in ("pickles", "binary"):
        put_set(tmp_path / form, name, form)
    one, other = read(tmp_path / "pickles", name), read(tmp_path / "binary", name)
    columns = ["sample_id", "split", "given"]
    assert one.frame[columns].equals(other.frame[columns])
    assert list(one.pictures) == list(other.pictures)


@BOTH
@FORMS
def test_the_folder_itself_and_a_link_to_it(tmp_path, name, form):
    folder = put_set(tmp_path / "real", name, form)
    wanted = read(tmp_path / "real", name).frame
    assert read(folder, name).frame.equals(wanted)
    (tmp_path / "renamed").symlink_to(folder)
    assert read(tmp_path / "renamed", name).frame.equals(wanted)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / folder.name).symlink_to(folder)
    linked = read(tmp_path / "data", name)
    assert linked.frame.equals(wanted) and len(list(linked.pictures)) == 13


def test_pickles_are_preferred(tmp_path):
    put_set(tmp_path / "data", "cifar10", "binary", train=[0] * 10)
    assert set(read(tmp_path / "data").frame["given"][:10]) == {"airplane"}
    put_set(tmp_path / "data", "cifar10", "pickles", train=[5] * 10)
    assert set(read(tmp_path / "data").frame["given"][:10]) == {"dog"}


@FORMS
def test_ingestion(tmp_path, form):
    put_set(tmp_path / "data", "cifar10", form)
    table, quarantine, summary = ingest(tmp_path)
    assert summary["dataset"] == "cifar10" and len(quarantine) == 0
    assert (table.frame[["width", "height"]] == 32).all().all()
    train = table.frame[table.frame["split"].eq("train")]
    assert train["given"].tolist() == [CIFAR10.classes[number] for number in TRAIN]
    with pa.memory_map(str(tmp_path / "out" / "pictures.arrow")) as pack:
        assert pa.ipc.open_file(pack).read_all().num_rows == 13


@pytest.mark.parametrize(("form", "number"), [("pickles", -1), ("pickles", 300), ("binary", 10)])
def test_labels_that_are_none_are_quarantined(tmp_path, form, number):
    put_set(tmp_path / "data", "cifar10", form, train=[number, *TRAIN[1:]])
    table, quarantine, _ = ingest(tmp_path)
    assert len(table) == 12
    assert quarantine["sample_id"].tolist() == ["cifar10-train-00000"]
    assert quarantine["reason"].tolist() == [f"unknown label: '{number} (no number 0 to 9)'"]


def test_classes_that_are_not_wanted_are_quarantined(tmp_path):
    put_set(tmp_path / "data", "cifar10")
    _, quarantine, _ = ingest(tmp_path, classes=["cat", "Truck", "ship"])
    frame = read(tmp_path / "data", classes=["cat", "Truck", "ship"]).frame
    assert frame["given"].dropna().tolist() == ["Truck", "Truck", "ship", "cat", "cat", "ship"]
    assert len(quarantine) == 7 and set(quarantine["reason"]) >= {"unknown label: 'frog'"}


@BOTH
@FORMS
def test_what_is_missing_is_said(tmp_path, name, form):
    with pytest.raises(FercleanError, match=rf"{SETS[name].title}.*neither cifar-10.* nor .*kriz"):
        read(tmp_path, name)
    folder = put_set(tmp_path / "data", name, form)
    file = sorted(folder.glob("*test*"))[0]
    file.unlink()
    with pytest.raises(FercleanError, match=rf"{file.name} is missing; get it from .*kriz"):
        read(tmp_path / "data", name)


def test_a_file_that_is_a_link_elsewhere_or_a_folder(tmp_path):
    folder = put_set(tmp_path / "data", "cifar10")
    (folder / "test_batch").rename(tmp_path / "elsewhere")
    (folder / "test_batch").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FercleanError, match="test_batch: path leads outside the data folder"):
        read(tmp_path / "data")
    (folder / "test_batch").unlink()
    (folder / "test_batch").mkdir()
    with pytest.raises(FercleanError, match="test_batch: not a regular file; get the file"):
        read(tmp_path / "data")


@pytest.mark.parametrize("size", [0, 3072, 3073 * 2 - 1, 3074])
def test_binary_files_that_break_off(tmp_path, size):
    folder = put_set(tmp_path / "data", "cifar10", "binary")
    path = folder / "data_batch_3.bin"
    path.write_bytes((path.read_bytes() * 2)[:size])
    with pytest.raises(FercleanError, match=rf"data_batch_3\.bin has {size} bytes, .*incomplete"):
        read(tmp_path / "data")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({b"data": planes([0, 1]).astype(np.int16)}, "'data' must be an array of 8-bit pictures"),
        ({b"data": planes([0, 1]).ravel()}, "'data' must be an array of 8-bit pictures"),
        ({b"data": planes([0, 1])[:, :-1].copy()}, "'data' must be an array of 8-bit"),
        ({b"data": planes([0, 1]).tolist()}, "'data' must be an array of 8-bit pictures"),
        ({b"data": planes([0, 1]).reshape(2, 3, 32, 32)}, "'data' must be an array of 8-bit"),
        ({b"data": planes([0]), b"labels": [1, 2]}, "has 1 pictures but 2 labels"),
        ({b"labels": [1]}, "has 2 pictures but 1 labels"),
        ({b"labels": [1, 2.0]}, "'labels' must be a list of class numbers"),
        ({b"labels": [1, True]}, "'labels' must be a list of class numbers"),
        ({b"labels": [1, 2**64]}, "'labels' must be a list of class numbers"),
        ({b"labels": (1, 2)}, "'labels' must be a list of class numbers"),
        ({b"labels": b"\x01\x02"}, "'labels' must be a list of class numbers"),
        ({b"labels": None}, "'labels' must be a list of class numbers"),
    ],
)
def test_pickles_of_something_else(tmp_path, change, said):
    folder = put_set(tmp_path / "data", "cifar10")
    table = table_of("cifar10", [6, 9], [0, 1]) | change
    (folder / "data_batch_1").write_bytes(pickle.dumps(table, 2))
    with pytest.raises(FercleanError, match=rf"data_batch_1:? {said}.*; get the file from http"):
        read(tmp_path / "data")


def test_coarse_labels_alone_are_not_enough(tmp_path):
    folder = put_set(tmp_path / "data", "cifar100")
    table = table_of("cifar100", TEST, [0, 1, 2])
    del table[b"fine_labels"]
    (folder / "test").write_bytes(pickle.dumps(table, 2))
    with pytest.raises(FercleanError, match=r"test: 'fine_labels' must be a list"):
        read(tmp_path / "data", "cifar100")


@pytest.mark.parametrize("file", ["data_batch_1", "test_batch"])
def test_a_batch_that_would_run_a_command_runs_nothing(tmp_path, file):
    folder = put_set(tmp_path / "data", "cifar10")
    table = {b"labels": [1, 2], b"data": Command(f"touch {tmp_path}/ran")}
    (folder / file).write_bytes(pickle.dumps(table, 2))
    with pytest.raises(FercleanError, match=rf"{file} names 'posix.system', .*get the publishers'"):
        read(tmp_path / "data")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("reader", [read_cifar10, read_cifar100])
def test_small_pictures_do_not_bound_the_files(tmp_path, reader):
    name = reader.__name__.removeprefix("read_")
    put_set(tmp_path / "data", name)
    assert len(reader(settings_of(tmp_path / "data", name, max_pixels=1)).frame) == 13


def test_a_set_that_vanishes_between_labels_and_pictures_is_named(tmp_path):
    folder = put_set(tmp_path / "data", "cifar10")
    source = read(tmp_path / "data")
    shutil.rmtree(folder)
    with pytest.raises(FercleanError, match="data_batch_1: file not found; get the file from"):
        list(source.pictures)
