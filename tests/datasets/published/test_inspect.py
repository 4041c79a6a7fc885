from __future__ import annotations

import numpy as np
import pytest

from ferclean.datasets.published.base import ALL
from ferclean.datasets.published.rafdb import COMPOUND
from ferclean.errors import FercleanError
from ferclean.steps.check_data import check_data
from fixtures.picture_files import put_picture
from fixtures.published_sets import put_rafdb


def found(name, path, variant=None):
    return {each.name: (each.status, each.found) for each in check_data(name, path, variant)}


@pytest.mark.slow
def test_the_published_set_is_found_whole(tmp_path):
    put_rafdb(tmp_path)
    checks = found("rafdb", tmp_path)
    assert checks["pictures"] == ("ok", "all 15,339 are there")
    assert checks["train rows"] == ("ok", "12,271") and checks["test rows"] == ("ok", "3,068")
    assert checks["train classes"] == checks["test classes"] == ("ok", "all 7 as published")
    assert "whdeng" in checks["from"][1] and "research" in checks["terms"][1]
    assert {status for status, _ in checks.values()} == {"ok"}


def test_what_differs_is_named_with_the_published_number(tmp_path):
    folder = put_rafdb(tmp_path, left_out=("train_00001.jpg",))
    (folder / "Image" / "aligned" / "test_00007_aligned.jpg").unlink()
    put_picture(folder / "Image" / "aligned" / "test_99999_aligned.jpg", 1, form="JPEG")
    path = folder / "EmoLabel" / "list_patition_label.txt"
    path.write_text(path.read_text().replace("test_00009.jpg 1", "test_00009.jpg 9"))
    checks = found("rafdb", tmp_path)
    lost = "1 are not there, such as Image/aligned/test_00007_aligned.jpg"
    assert checks["pictures"] == ("missing", lost)
    extra = "1 pictures in no row, such as Image/aligned/test_99999_aligned.jpg"
    assert checks["unexpected"] == ("note", extra)
    assert checks["train rows"] == ("note", "12,270, published 12,271")
    assert checks["train classes"] == ("note", "surprised 1,289 (published 1,290)")
    assert checks["test classes"] == ("note", "surprised 328 (published 329)")
    assert checks["cannot be used: unknown label"] == ("note", "1 rows")


def test_another_folder_is_said_to_be_none(tmp_path):
    checks = found("rafdb", tmp_path)
    assert list(checks) == ["layout"] and checks["layout"][0] == "missing"
    assert "list_patition_label.txt is missing" in checks["layout"][1]


def test_a_variant_is_held_against_its_own_numbers(tmp_path):
    for folder in ("train_set", "val_set"):
        put_picture(tmp_path / folder / "images" / "0.jpg", 1, form="JPEG")
        (tmp_path / folder / "annotations").mkdir()
        for ending in ("exp", "val", "aro"):
            np.save(tmp_path / folder / "annotations" / f"0_{ending}.npy", np.array("3"))
    checks = found("affectnet", tmp_path, "arrays")
    assert checks["train rows"] == ("note", "1, published 287,651")
    assert checks["pictures"] == ("ok", "all 2 are there")
    assert "file_lists/training.csv is missing" in found("affectnet", tmp_path)["layout"][1]
    with pytest.raises(FercleanError, match=r"data.variant 'array'; did you mean 'arrays'"):
        found("affectnet", tmp_path, "array")


def put_expw(root, lines):
    (root / "label").mkdir(parents=True)
    (root / "label" / "label.lst").write_text("\n".join(lines))
    for text in lines:
        put_picture(root / "image" / "origin" / text.split()[0], 1, form="JPEG")


def test_identities_are_looked_at(tmp_path):
    put_expw(tmp_path, ["a.jpg 0 1 2 20 40 9.5 3", "a.jpg 1 5 21 99 30 9.5 6"])
    assert found("expw", tmp_path)["identities"] == ("ok", "0 of 1 in several splits")
    put_rafdb(tmp_path / "raf")
    assert found("rafdb", tmp_path / "raf")["identities"][1].startswith("not stated")


def test_counts_over_all_splits_are_compared(tmp_path):
    assert sum(COMPOUND.counts[ALL]) == sum(COMPOUND.rows.values())
    folder = tmp_path / "compound"
    (folder / "EmoLabel").mkdir(parents=True)
    (folder / "EmoLabel" / "list_patition_label.txt").write_text("train_1.jpg 1\ntest_1.jpg 1\n")
    for split in ("train", "test"):
        put_picture(folder / "Image" / "aligned" / f"{split}_1_aligned.jpg", 1, form="JPEG")
    status, told = found("rafdb_compound", tmp_path)["all classes"]
    assert status == "note" and told.startswith("happily surprised 2 (published 697)")
