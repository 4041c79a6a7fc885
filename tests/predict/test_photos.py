import os

import pytest

from ferclean.datasets.pictures import PictureError
from ferclean.errors import FercleanError
from ferclean.predict.photos import decode_photo, find_photos, read_photo


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.JPG", "a.png", "deep/c.webp", ".hidden.png", "notes.txt", "[x].png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def found(*named):
    return [path.as_posix() for path in find_photos(named)]


def test_files_folders_and_patterns_are_taken_once_each(folder):
    assert found(".") == ["[x].png", "a.png", "b.JPG", "deep/c.webp"]
    assert found("**/*.webp", "a.png") == ["deep/c.webp", "a.png"]
    assert found("a.png", ".", "a.png")[0] == "a.png" and len(found("a.png", ".")) == 4
    # A name is first of all a name; what a person names is taken whatever its ending.
    assert found("[x].png", "notes.txt") == ["[x].png", "notes.txt"]


@pytest.mark.parametrize("name", ["c.png", "*.gif", "deep/*.png"])
def test_what_stands_for_nothing_is_told(folder, name):
    with pytest.raises(FercleanError, match="there is no photograph at"):
        find_photos([name])


def test_what_cannot_be_read_is_a_reason(folder):
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "large.png").write_bytes(b"\0" * (17 * 2**20))
    reasons = [
        decode_photo(folder / name, max_pixels=1000).reason
        for name in ("a.png", "pipe.png", "loop.png", "large.png", "gone.png")
    ]
    assert reasons[0] == "not a picture in a supported format"
    assert reasons[1] == "not a regular file"
    assert reasons[2].startswith(("unusable path", "cannot be read", "file not found"))
    assert reasons[3].startswith("file too large")
    assert reasons[4] == "file not found"


def test_links_are_the_persons_own(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "photo.png"
    elsewhere.write_bytes(b"bytes")
    (folder / "link.png").symlink_to(elsewhere)
    assert read_photo(folder / "link.png", max_pixels=10) == b"bytes"
    assert isinstance(read_photo(folder / "deep", max_pixels=10), PictureError)
