import numpy as np
import pandas as pd
from PIL import Image

from ferclean.steps.review_page import write_review_page
from fixtures.review_pages import review_rows, write_page


def test_a_page_and_its_sheets_are_written_and_old_sheets_removed(tmp_path):
    folder = tmp_path / "review"
    folder.mkdir()
    (folder / "faces-0017.jpg").write_text("of an earlier audit")
    (folder / "review.csv").write_text("the user's own")
    write_page(folder, review_rows(240))
    names = sorted(path.name for path in folder.iterdir())
    assert [name.partition("-")[2][:5] for name in names[:3]] == ["0000-", "0001-", "0002-"]
    assert names[3:] == ["index.html", "review.csv"]
    assert Image.open(folder / names[2]).size == (320, 4 * 32)
    assert names[2] in (folder / "index.html").read_text()


def test_no_name_of_a_sheet_ever_stands_for_two_contents(tmp_path):
    """Whoever still has an earlier page open would decide about other faces."""
    content, position = review_rows(60), np.arange(60)
    random = np.random.default_rng(0)
    first, second = random.integers(0, 256, (2, 60, 24, 24, 3), dtype=np.uint8)
    seen = {}
    for pack in (first, second, first):
        write_review_page(content, pack, position, tmp_path)
        sheets = sorted(tmp_path.glob("faces-*.jpg"))
        assert len(sheets) == 1 and sheets[0].name in (tmp_path / "index.html").read_text()
        assert seen.setdefault(sheets[0].name, sheets[0].read_bytes()) == sheets[0].read_bytes()
    assert len(seen) == 2


def test_the_same_audit_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_page(tmp_path / name)
    files = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b")]
    assert files[0] == files[1] and len(files[0]) > 1


def test_an_audit_without_doubt_has_a_page_without_faces(tmp_path):
    content = review_rows(20)
    content.table["verdict"] = pd.Categorical(["correct"] * 20, categories=["correct", "wrong"])
    write_review_page(content, np.zeros((20, 24, 24, 3), np.uint8), np.arange(20), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
