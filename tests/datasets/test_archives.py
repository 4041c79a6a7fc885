"""Archives are unpacked by ``ferclean unpack``; see also the hostile ones below."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.datasets import archives
from ferclean.datasets.archives import read_archive
from ferclean.errors import FercleanError
from ferclean.steps.unpack import unpack

FILES = {"set/a b.jpg": b"one" * 1000, "set/list/ü.txt": b"", "top.txt": os.urandom(3_000_000)}
MODES = {"x.tar": "w", "x.tar.gz": "w:gz", "x.tbz": "w:bz2", "x.tar.xz": "w:xz"}


def put_tar(path, files, mode="w", **more):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in more.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    return path


def put_zip(path, files, **more):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("set")
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in more.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return path


def put(path, files):
    return put_zip(path, files) if path.suffix == ".zip" else put_tar(path, files, MODES[path.name])


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MODES, "x.zip"])
def test_every_kind_comes_out_whole(tmp_path, name, capfd):
    unpack([put(tmp_path / name, FILES)], tmp_path / "out" / "deep")
    assert tree(tmp_path / "out" / "deep") == FILES
    told = capfd.readouterr().err
    assert "100/100" in told and f"3 files in {tmp_path / 'out' / 'deep'}" in told


def test_several_archives_share_a_folder(tmp_path):
    first = put_zip(tmp_path / "a.zip", {"set/a.txt": b"a"})
    second = put_tar(tmp_path / "b.tar", {"./set/b.txt": b"b", "set": b""}, mode="w")
    with pytest.raises(FercleanError, match=r"cannot write .*set"):  # a file where a folder was
        unpack([first, second], tmp_path / "out")
    second = put_tar(tmp_path / "b.tar", {"./set/b.txt": b"b"})
    with pytest.raises(FercleanError, match=r"a\.txt is already there, and 1 of 1 files in all"):
        unpack([first], tmp_path / "out")
    unpack([second], tmp_path / "out")
    assert tree(tmp_path / "out") == {"set/a.txt": b"a", "set/b.txt": b"b"}


LEADING_OUT = ["../x", "a/../../x", "/etc/x", "..\\x", "\\x", "a\\..\\..\\x"]


@pytest.mark.parametrize("name", LEADING_OUT)
@pytest.mark.parametrize("form", [put_tar, put_zip])
def test_no_name_leads_out(tmp_path, name, form):
    path = form(tmp_path / "x.archive", {"good.txt": b"1", name: b"2"})
    with pytest.raises(FercleanError, match="leads out of the folder; nothing was unpacked"):
        unpack([path], tmp_path / "out")
    assert tree(tmp_path) == {"x.archive": path.read_bytes()}


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(tmp_path, kind):
    path = put_tar(tmp_path / "x.tar", {"link": b""}, type=kind, linkname="/etc/passwd")
    with pytest.raises(FercleanError, match=r"'link', which is no plain file"):
        unpack([path], tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_links_in_a_zip_are_refused(tmp_path):
    path = put_zip(
        tmp_path / "x.zip", {"link": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16
    )
    with pytest.raises(FercleanError, match=r"'link', which is no plain file"):
        unpack([path], tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x.tar.gz", "x.tbz", "x.tar.xz", "x.zip"])
def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, name, monkeypatch):
    monkeypatch.setattr(archives, "_ALWAYS_ALLOWED", 2**20)
    path = put(tmp_path / name, {"zeros": bytes(30_000_000)})
    with pytest.raises(FercleanError, match=r"more than 100 times its size"):
        unpack([path], tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_a_header_cannot_ask_for_more_than_the_archive_may_grow_to(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_ALWAYS_ALLOWED", 2**20)
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("a"))
        member = tarfile.TarInfo("b")
        member.pax_headers = {"comment": "x" * 30_000_000}
        archive.addfile(member)
    with pytest.raises(FercleanError, match=r"more than 100 times its size"):
        unpack([path], tmp_path / "out")


@pytest.mark.parametrize("form", [put_tar, put_zip])
def test_a_name_twice_is_refused(tmp_path, form):
    path = form(tmp_path / "x.archive", {"a": b"1", "./a": b"2"})
    with pytest.raises(FercleanError, match="holds 'a' twice"):
        unpack([path], tmp_path / "out")


def test_an_encrypted_zip_says_so(tmp_path):
    path = put_zip(tmp_path / "x.zip", {"a": b"secret"})
    data = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(magic) + place] |= 1
    path.write_bytes(data)
    with pytest.raises(FercleanError, match="is encrypted: unpack it by a program"):
        unpack([path], tmp_path / "out")


def test_another_way_of_packing_says_so(tmp_path):
    path = put_zip(tmp_path / "x.zip", {"a": b"1"})
    data = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.rindex(magic) + place] = 97
    path.write_bytes(data)
    with pytest.raises(FercleanError, match="compression method is not supported"):
        unpack([path], tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "no ZIP or TAR"), (b"Rar!\x1a\x07", "RAR, 7z"), (b"PK\x05\x06", "is damaged"),
     (b"\x1f\x8b not gzip", "cannot read"), (b"BZhello", "cannot read"), (b"\xfd7zXZ", "damaged")],
)  # fmt: skip
def test_what_is_no_archive_says_so(tmp_path, content, sentence):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(FercleanError, match=sentence):
        unpack([path], tmp_path / "out")


def test_an_empty_archive_or_none_says_so(tmp_path):
    with pytest.raises(FercleanError, match="holds no file"):
        unpack([put_zip(tmp_path / "x.zip", {})], tmp_path / "out")
    with pytest.raises(FercleanError, match=r"cannot read .*absent.zip: No such file"):
        unpack([tmp_path / "absent.zip"], tmp_path / "out")


def test_a_device_is_no_archive(tmp_path):
    with pytest.raises(FercleanError, match="no file but a pipe, socket or device"):
        unpack([Path("/dev/zero")], tmp_path / "out")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    path = put_zip(tmp_path / "x.zip", {"a": b"1"})
    with pytest.raises(FercleanError, match=r"cannot write .*x.zip/out: Not a directory"):
        unpack([path], tmp_path / "x.zip" / "out")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    files = {"a.txt": b"abc" * 50, "b/c.bin": np.random.default_rng(0).bytes(700)}
    return {name: put(folder / name, files).read_bytes() for name in [*MODES, "x.zip"]}


@settings(deadline=None, max_examples=60)
@given(data=st.data(), name=st.sampled_from([*MODES, "x.zip"]))
def test_damage_ends_in_one_sentence_or_in_the_files(tmp_path_factory, sound, data, name):
    content = bytearray(sound[name])
    end = data.draw(st.integers(0, len(content)))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(content[:end] if data.draw(st.booleans()) else content)
    try:
        for entry in read_archive(path):
            b"".join(entry.chunks)
    except FercleanError as error:
        assert str(path) in str(error) and "\n" not in str(error)
