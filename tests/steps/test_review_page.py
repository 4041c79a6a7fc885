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
    assert sorted(path.name for path in folder.iterdir()) == [
        "faces-0000.jpg", "faces-0001.jpg", "faces-0002.jpg", "index.html", "review.csv"
    ]  # fmt: skip
    assert Image.open(folder / "faces-0002.jpg").size == (320, 4 * 32)
    assert "faces-0002.jpg" in (folder / "index.html").read_text()


def test_the_same_audit_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_page(tmp_path / name)
    for file in ("index.html", "faces-0000.jpg"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_an_audit_without_doubt_has_a_page_without_faces(tmp_path):
    content = review_rows(20)
    content.table["verdict"] = pd.Categorical(["correct"] * 20, categories=["correct", "wrong"])
    write_review_page(content, np.zeros((20, 24, 24, 3), np.uint8), np.arange(20), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
