from __future__ import annotations

from ferclean.steps.check_data import check_data
from fixtures.picture_files import put_picture
from fixtures.published_sets import put_rafdb


def found(name, path):
    return {each.name: (each.status, each.found) for each in check_data(name, path)}


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
