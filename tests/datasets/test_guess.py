import numpy as np
import pandas as pd
import pytest

from ferclean.datasets.guess import guess_data_settings
from ferclean.errors import FercleanError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_folder_of_class_folders_names_its_classes(tmp_path):
    touch(tmp_path, "sad/a.png", "happy/b.png", "happy/more/c.png", "stray.txt", ".cache/d.png")
    found = guess_data_settings(tmp_path)
    expected = {"source": "image_folder", "path": str(tmp_path), "classes": ["happy", "sad"]}
    assert found == expected


def test_class_folders_may_lie_below_splits(tmp_path):
    touch(tmp_path, "Train/sad/a.png", "Train/happy/b.png", "test/fear/c.png")
    assert guess_data_settings(tmp_path)["classes"] == ["fear", "happy", "sad"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_names_its_labels(tmp_path, suffix):
    frame = pd.DataFrame({"path": ["a.png", "b.png", "c.png"], "label": ["2", "1", "2"]})
    path = tmp_path / f"labels{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    expected = {"source": "table", "path": str(path), "classes": ["1", "2"]}
    assert guess_data_settings(path) == expected


def test_fer2013_is_known_by_its_columns(tmp_path):
    (tmp_path / "fer.csv").write_text("emotion,pixels,Usage\n0,1 2,Training\n")
    columns = {"label": [0], "usage": ["Training"], "image_src": [1], "image": [b""]}
    pd.DataFrame(columns).to_parquet(tmp_path / "fer.parquet")
    for name, source in (("fer.csv", "fer2013_csv"), ("fer.parquet", "fer2013_parquet")):
        path = tmp_path / name
        assert guess_data_settings(path) == {"source": source, "path": str(path)}


def test_what_is_no_data_set_is_told(tmp_path):
    touch(tmp_path, "one/a.png", "notes.txt")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    names = pd.DataFrame(
        {"path": np.arange(1001).astype(str), "label": np.arange(1001).astype(str)}
    )
    names.to_csv(tmp_path / "many.csv", index=False)
    for name, sentence in (
        ("absent", "there is no folder or table at"),
        ("notes.txt", "must be a folder or end in .csv, .tsv or .parquet"),
        ("other.csv", "neither the columns path and label nor those of FER2013; found a, b"),
        ("many.csv", "holds 1001 different labels, but 2 to 1000 classes"),
        (".", "holds 1 different labels"),
    ):
        with pytest.raises(FercleanError, match=sentence):
            guess_data_settings(tmp_path / name)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("Happy", "happy"), "classes 'Happy' and 'happy' are one: rename one"),
        (("sad", "happy "), "class 'happy ' has blanks at its ends"),
        (("train", "test"), "0 different labels.* train, val or test are splits"),
    ],
)
def test_folders_that_are_no_classes_are_named(tmp_path, folders, message):
    touch(tmp_path, *(f"{folder}/a.png" for folder in folders))
    with pytest.raises(FercleanError, match=message):
        guess_data_settings(tmp_path)
