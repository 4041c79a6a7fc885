"""Disks that are full or read-only, and tables of a million rows."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ferclean.datasets.tabular import read_columns
from ferclean.tables.audit_inputs import read_given_labels
from ferclean.tables.labels import make_table, read_label_table, write_label_table
from fixtures.hostile.catalogue import put_good_pictures
from fixtures.picture_files import put_picture

pytestmark = pytest.mark.slow

SIZE = 400_000


def mounted(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder, f"size={SIZE}"):
        pytest.skip("mounting a small file system needs more rights")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def ingest_call(data: Path, output: Path) -> list[str]:
    settings = {"source": "image_folder", "path": str(data), "validation_fraction": 0}
    return ["ingest", "--output", str(output), "--params", json.dumps({"data": settings})]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def put_large_pictures(folder: Path) -> None:
    noise = np.random.default_rng(0)
    for number in range(8):
        path = put_picture(folder / "happy" / f"{number}.png", number)
        path.write_bytes(path.read_bytes() + noise.bytes(100_000))


def test_a_full_disk_is_named_and_the_last_result_stays(small_disk, tmp_path, ferclean):
    data, output = tmp_path / "data", small_disk / "out"
    put_good_pictures(data, "happy/a.png", "sad/b.png")
    assert ferclean(*ingest_call(data, output))[0] == 0
    before = content(output)
    put_large_pictures(data)
    code, _, written = ferclean(*ingest_call(data, output))
    assert code == 2 and "Traceback" not in written
    last = written.splitlines()[-1]
    assert last.startswith(f"error: cannot write {output / 'pictures.arrow'}: ")
    assert "No space left" in last
    assert content(output) == before


def test_a_disk_that_turns_read_only_is_named_and_the_last_result_stays(
    small_disk, tmp_path, ferclean
):
    data, output = tmp_path / "data", small_disk / "out"
    put_good_pictures(data, "happy/a.png", "sad/b.png")
    assert ferclean(*ingest_call(data, output))[0] == 0
    before = content(output)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    code, _, written = ferclean(*ingest_call(data, output))
    assert code == 2
    assert written.splitlines()[-1] == (
        f"error: cannot write {output / 'pictures.arrow'}: Read-only file system"
    )
    assert content(output) == before


def test_a_refused_data_set_leaves_the_last_result(tmp_path, ferclean):
    data, output = tmp_path / "data", tmp_path / "out"
    put_good_pictures(data, "happy/a.png", "sad/b.png")
    assert ferclean(*ingest_call(data, output))[0] == 0
    before = content(output)
    for path in list(data.rglob("*.png")):
        path.write_bytes(b"no picture")
    assert ferclean(*ingest_call(data, output))[0] == 2
    assert content(output) == before


MILLION = 1_000_000


def test_a_million_rows_are_read_in_seconds(tmp_path):
    path = tmp_path / "t.csv"
    rows = "".join(f"folder/{number}.png,happy,train\n" for number in range(MILLION))
    path.write_text("path,label,split\n" + rows)
    start = time.process_time()
    found = read_columns(path, ("path", "label"))
    assert len(found) == MILLION and found["path"].iloc[-1] == f"folder/{MILLION - 1}.png"
    assert read_given_labels(path, "label").labels.shape == (MILLION,)
    assert time.process_time() - start < 60


def test_a_label_table_of_a_million_rows_comes_back(tmp_path):
    names = [f"{number:07d}" for number in range(MILLION)]
    columns = {"sample_id": names, "path": names, "split": "train", "given": "sad"}
    table = make_table(pd.DataFrame(columns), ("happy", "sad"), "large")
    start = time.process_time()
    write_label_table(table, tmp_path / "x.parquet")
    read = read_label_table(tmp_path / "x.parquet")
    assert len(read) == MILLION and read.frame["sample_id"].iloc[-1] == names[-1]
    assert (read.codes("given") == 1).all()
    assert time.process_time() - start < 60
