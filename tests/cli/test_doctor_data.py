"""``ferclean doctor --data``."""

from __future__ import annotations

import shutil

import pytest

from fixtures.published_sets import put_rafdb


@pytest.mark.slow
def test_the_command_says_it(tmp_path, ferclean):
    folder = put_rafdb(tmp_path / "raf")
    code, out, _ = ferclean("doctor", "--data", "rafdb", str(tmp_path / "raf"))
    assert code == 0 and "12,271" in out and "whdeng" in out
    shutil.rmtree(folder / "Image")
    code, out, _ = ferclean("doctor", "--data", "rafdb", str(tmp_path / "raf"))
    assert code == 1 and "missing" in out
    code, _, err = ferclean("doctor", "--data", "rafdb")
    assert code == 2 and "needs a name and a folder" in err
    code, _, err = ferclean("doctor", "--data", "rafbd", str(tmp_path))
    assert code == 2 and "did you mean 'rafdb'" in err


@pytest.mark.slow
def test_the_settings_own_set_is_looked_at(tmp_path, ferclean):
    folder = put_rafdb(tmp_path / "raf", left_out=("train_00001.jpg",))
    params = tmp_path / "params.yaml"
    params.write_text(f"data: {{source: rafdb, path: {tmp_path / 'raf'}}}\n")
    _, out, _ = ferclean("doctor", "--params", str(params))
    assert "12,270, published" in out and "data.path" in out
    shutil.rmtree(folder)
    (tmp_path / "raf").rmdir()
    code, out, _ = ferclean("doctor", "--params", str(params))
    said = " ".join(out.replace("│", " ").split())  # a narrow table breaks its lines
    assert code == 1 and "does not exist" in said and "layout" not in said


def test_a_variant_belongs_to_a_set(tmp_path, ferclean):
    code, _, err = ferclean("doctor", "--variant", "arrays")
    assert code == 2 and "needs a name and a folder" in err
    code, _, err = ferclean("doctor", "--data", "rafdb", str(tmp_path), "--variant", "alined")
    assert code == 2 and "did you mean 'aligned'" in err
