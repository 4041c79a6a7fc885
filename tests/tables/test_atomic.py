"""Files appear whole or not at all."""

from __future__ import annotations

import csv
import errno
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ferclean
from ferclean.errors import FercleanError
from ferclean.tables import atomic, locks
from ferclean.tables.atomic import (
    atomic_folder,
    atomic_path,
    read_json,
    write_csv,
    write_json,
    write_text,
)

SOURCE = Path(ferclean.__file__).resolve().parents[1]
TESTS = Path(__file__).resolve().parents[1]


def child(code: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env=os.environ | {"PYTHONPATH": f"{SOURCE}{os.pathsep}{TESTS}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_folder_and_nothing_else(tmp_path):
    final = tmp_path / "a" / "b" / "text.txt"
    write_text(final, "Größe\n")
    assert final.read_bytes() == "Größe\n".encode()
    assert names(final.parent) == ["text.txt"]


def test_permissions_are_those_of_a_plain_file(tmp_path):
    write_text(tmp_path / "ours", "")
    (tmp_path / "plain").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_temporary_is_hidden_beside_the_final_file_and_keeps_its_suffix(tmp_path):
    with atomic_path(tmp_path / "x.parquet") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.suffix == ".parquet"
        assert not (tmp_path / "x.parquet").exists()
        temporary.write_text("new")
    assert names(tmp_path) == ["x.parquet"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, FercleanError])
def test_a_block_that_fails_leaves_the_old_file(tmp_path, error):
    final = tmp_path / "x.txt"
    write_text(final, "old")
    with pytest.raises(error), atomic_path(final) as temporary:
        temporary.write_text("half")
        raise error("stop")
    assert final.read_text() == "old"
    assert names(tmp_path) == ["x.txt"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "No space left on device"), (errno.EDQUOT, "Disk quota exceeded")],
)
def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch, number, words):
    def full(handle):
        raise OSError(number, os.strerror(number))

    write_text(tmp_path / "x.txt", "old")
    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(FercleanError, match=rf"^cannot write .*x\.txt: {words}$"):
        write_text(tmp_path / "x.txt", "new")
    assert (tmp_path / "x.txt").read_text() == "old"
    assert names(tmp_path) == ["x.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is not here")
def test_a_device_that_is_full_is_one_sentence(tmp_path):
    with (
        pytest.raises(FercleanError, match=r"x\.txt: No space left on device"),
        atomic_path(tmp_path / "x.txt"),
        Path("/dev/full").open("w") as stream,
    ):
        stream.write("x" * 100_000)
    assert names(tmp_path) == []


WRITERS = {
    "text": "write_text(final, 'x' * 3_000_000)",
    "faces": "write_faces(final, np.zeros((30, 200, 200, 3), np.uint8))",
    "pngs": """write_faces(
        final, np.random.default_rng(0).integers(0, 256, (30, 200, 200, 3), np.uint8), 'png')""",
    "pictures": "write_encoded_pack(final, ((str(i), os.urandom(10_000)) for i in range(300)))",
    "labels": """write_label_table(make_table(pd.DataFrame({
        'sample_id': [os.urandom(20).hex() for _ in range(100_000)], 'path': 'p',
        'split': 'train', 'given': 'a'}), ['a', 'b'], 'd'), final)""",
}


@pytest.mark.slow
@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_names_the_file_that_does_not_fit(tmp_path, writer):
    code = f"""
        import os, resource, sys
        import numpy as np, pandas as pd
        from ferclean.errors import FercleanError
        from ferclean.tables.atomic import write_text
        from ferclean.tables.labels import make_table, write_label_table
        from fixtures.packs import write_encoded_pack, write_faces
        final = sys.argv[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        try:
            {WRITERS[writer]}
        except FercleanError as error:
            print(error)
    """
    process = child(code, str(tmp_path / "x.out"))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.startswith(f"cannot write {tmp_path / 'x.out'}: "), out
    assert len(out.splitlines()) == 1
    assert names(tmp_path) == []


def test_a_read_only_folder_is_one_sentence(tmp_path):
    (tmp_path / "x.txt").write_text("old")
    tmp_path.chmod(0o500)
    as_root = os.geteuid() == 0
    if as_root:  # nothing is read-only for root
        os.seteuid(65534)
    try:
        with pytest.raises(FercleanError, match=r"^cannot write .*x\.txt: Permission denied$"):
            write_text(tmp_path / "x.txt", "new")
    finally:
        if as_root:
            os.seteuid(0)
        tmp_path.chmod(0o700)
    assert (tmp_path / "x.txt").read_text() == "old"


def test_a_file_where_a_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    for final in (tmp_path / "file" / "x.txt", tmp_path / "file" / "deep" / "x.txt"):
        with pytest.raises(FercleanError, match=r"^cannot write .*x\.txt: "):
            write_text(final, "")


def test_a_folder_where_the_file_should_be_is_one_sentence(tmp_path):
    (tmp_path / "x.txt").mkdir()
    with pytest.raises(FercleanError, match=r"^cannot write .*x\.txt: Is a directory$"):
        write_text(tmp_path / "x.txt", "")
    assert names(tmp_path) == ["x.txt"]


def test_trouble_with_another_file_is_not_blamed_on_this_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"), atomic_path(tmp_path / "x.txt"):
        (tmp_path / "absent").read_text()
    with pytest.raises(FileNotFoundError, match="absent"), atomic_folder(tmp_path / "folder"):
        (tmp_path / "absent").read_text()
    assert names(tmp_path) == []


def test_trouble_inside_a_folder_is_blamed_on_it(tmp_path):
    with (
        pytest.raises(FercleanError, match=r"^cannot write .*folder: No such file or directory$"),
        atomic_folder(tmp_path / "folder") as folder,
    ):
        (folder / "deep" / "x.txt").write_text("x")
    with (  # a link names where it leads to first
        pytest.raises(FercleanError, match=r"^cannot write .*folder: File exists$"),
        atomic_folder(tmp_path / "folder") as folder,
    ):
        (folder / "x.txt").touch()
        (folder / "x.txt").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path) == []


@pytest.mark.slow
def test_a_killed_writer_never_leaves_a_half_file(tmp_path):
    final = tmp_path / "x.json"
    code = """
        import sys
        from ferclean.tables.atomic import write_json
        print("ready", flush=True)
        version = 0
        while True:
            version += 1
            write_json(sys.argv[1], [version] * 200_000)
    """
    moments = random.Random(0)
    for _ in range(8):
        process = child(code, str(final))
        assert process.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 30
        while not names(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if final.exists():
            content = json.loads(final.read_text())
            assert len(content) == 200_000
            assert len(set(content)) == 1
    write_json(final, "done")
    assert names(tmp_path) == ["x.json"], "a later writer removes what killed ones left"


def test_kill_in_the_middle_of_a_block(tmp_path):
    final = tmp_path / "x.npy"
    write_text(final, "old")
    code = """
        import sys, time
        from ferclean.tables.atomic import atomic_folder, atomic_path
        with atomic_path(sys.argv[1]) as temporary:
            temporary.write_text("half of the new cont")
            print("half", flush=True)
            time.sleep(60)
    """
    process = child(code, str(final))
    assert process.stdout.readline() == "half\n"
    write_text(tmp_path / "y.npy", "another file")
    write_text(tmp_path / "x.txt", "another suffix")
    assert len(names(tmp_path)) == 4, "the temporary of a living writer stays"
    process.kill()
    process.communicate()
    assert final.read_text() == "old"
    write_text(final, "new")
    assert names(tmp_path) == ["x.npy", "x.txt", "y.npy"]


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    final = tmp_path / "x[1].txt"
    with atomic_path(final) as first, atomic_path(final) as second:
        first.write_text("first")
        second.write_text("second")
    assert final.read_text() == "first"
    assert names(tmp_path) == ["x[1].txt"]


def test_a_second_writer_leaves_the_temporary_of_a_living_one(tmp_path):
    final = tmp_path / "x.txt"
    with atomic_path(final) as first:
        first.write_text("first")
        write_text(final, "second")
        assert final.read_text() == "second"
        assert first.read_text() == "first"
    assert final.read_text() == "first"
    assert names(tmp_path) == ["x.txt"]


def test_leftovers_are_known_by_the_whole_name(tmp_path):
    for name in (".x[1].dead.tmp.txt", ".x1.dead.tmp.txt"):
        (tmp_path / name).touch()
    write_text(tmp_path / "x[1].txt", "text")
    assert names(tmp_path) == [".x1.dead.tmp.txt", "x[1].txt"]


def test_writing_works_where_there_are_no_locks(tmp_path, monkeypatch):
    def no_locks(handle, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    (tmp_path / ".x.other.tmp.txt").touch()
    write_text(tmp_path / "x.txt", "text")
    assert names(tmp_path) == [".x.other.tmp.txt", "x.txt"], "it may be a living writer's"


def test_a_lock_that_fails_is_no_missing_lock(tmp_path, monkeypatch):
    def fails(handle, operation):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(locks.fcntl, "flock", fails)
    with pytest.raises(FercleanError, match=r"^cannot write .*x\.txt: Input/output error$"):
        write_text(tmp_path / "x.txt", "text")
    assert names(tmp_path) == []


@pytest.mark.parametrize("done", [True, False], ids=["is done", "goes on"])
def test_a_clean_up_before_the_lock_takes_no_file_from_its_writer(tmp_path, monkeypatch, done):
    final, made = tmp_path / "x.txt", []
    create = atomic.tempfile.mkstemp

    def create_and_clean_up(**where):
        handle, name = create(**where)
        made.append((os.open(name, os.O_RDWR), Path(name)))
        if len(made) == 1:  # another writer finds the first one before it is locked
            fcntl.flock(made[0][0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        if len(made) == 1 and done:
            Path(name).unlink()
            fcntl.flock(made[0][0], fcntl.LOCK_UN)
        return handle, name

    monkeypatch.setattr(atomic.tempfile, "mkstemp", create_and_clean_up)
    with atomic_path(final) as temporary:
        temporary.write_text("text")
        made[0][1].unlink(missing_ok=True)
    assert final.read_text() == "text" and names(tmp_path) == ["x.txt"]
    assert len(made) == 2
    for handle, _ in made:
        os.close(handle)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abé"), inner),
)  # fmt: skip


@settings(max_examples=50)
@given(JSON_VALUES)
def test_json_comes_back(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.json"
    write_json(path, value)
    assert read_json(path) == value


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], np.float64("nan")])
def test_json_refuses_what_is_no_json(tmp_path, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", value)
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[1,]"])
def test_broken_json_is_named(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(FercleanError, match=r"x\.json is not valid JSON"):
        read_json(tmp_path / "x.json")


def test_json_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FercleanError, match=r"cannot read .*x\.json: No such file"):
        read_json(tmp_path / "x.json")
    with pytest.raises(FercleanError, match=r"cannot read .*: Is a directory"):
        read_json(tmp_path)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    final = tmp_path / "new" / "folder"
    with pytest.raises(ZeroDivisionError), atomic_folder(final) as folder:
        (folder / "a").write_text("1")
        raise ZeroDivisionError
    assert list((tmp_path / "new").iterdir()) == []
    with atomic_folder(final) as folder:
        (folder / "a").write_text("1")
        assert not final.exists()
    assert (final / "a").read_text() == "1" and list(final.parent.iterdir()) == [final]


def test_a_folder_is_replaced_only_if_it_holds_the_mark(tmp_path):
    final = tmp_path / "folder"
    final.mkdir()
    with atomic_folder(final) as folder:  # an empty folder may be filled
        (folder / "mark").write_text("old")
        (folder / "deep").mkdir()
    for replace in (None, "other"):
        with (
            pytest.raises(FercleanError, match="exists already"),
            atomic_folder(final, replace=replace),
        ):
            pass
    with pytest.raises(ZeroDivisionError), atomic_folder(final, replace="mark"):
        raise ZeroDivisionError
    assert (final / "mark").read_text() == "old"
    with atomic_folder(final, replace="mark") as folder:
        (folder / "mark").write_text("new")
    assert [path.name for path in final.iterdir()] == ["mark"] and len(
        list(tmp_path.iterdir())
    ) == 1
    assert (final / "mark").read_text() == "new"


def test_the_old_folder_is_put_back_where_the_new_one_cannot_be(tmp_path, monkeypatch):
    final = tmp_path / "folder"
    with atomic_folder(final) as folder:
        (folder / "mark").write_text("old")
    rename = Path.replace

    def full(source, target):
        if source.suffix == ".tmp":
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", full)
    with (
        pytest.raises(FercleanError, match=r"^cannot write .*folder: Disk quota exceeded$"),
        atomic_folder(final, replace="mark") as folder,
    ):
        (folder / "mark").write_text("new")
    assert (final / "mark").read_text() == "old"
    assert names(tmp_path) == ["folder"] and names(final) == ["mark"]


def test_neither_files_nor_links_are_taken_for_folders(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for name in ("file", "link"):
        with pytest.raises(FercleanError, match="exists already"), atomic_folder(tmp_path / name):
            pass
    with pytest.raises(FercleanError, match="cannot write"), atomic_folder(tmp_path / "file" / "x"):
        pass


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_texts_of_a_csv_come_back_line_breaks_and_all(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    write_csv(path, pd.DataFrame(rows, columns=["a", "b"]))
    with path.open(newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [["a", "b"], *map(list, rows)]
