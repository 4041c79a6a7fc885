"""``ferclean doctor --data``."""

from __future__ import annotations

import shutil

from fixtures.published_sets import put_rafdb


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
