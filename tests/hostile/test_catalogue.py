"""Every hostile input ends in one clear sentence or in quarantine rows; none is lost."""

from __future__ import annotations

import pytest

from fixtures.hostile import (
    arrays,
    checkpoints,
    fer2013,
    folders,
    packs,
    pickled,
    pictures,
    published,
    settings,
    tables,
    words,
)
from fixtures.hostile.catalogue import Case, check_refused, check_set_aside, content_digest

pytestmark = pytest.mark.slow

FAMILIES = (
    *(pictures, tables, folders, fer2013, published, pickled),
    *(settings, arrays, words, packs, checkpoints),
)
CASES = [case for family in FAMILIES for case in family.CASES]


# Pillow and PyTorch warn of damaged files before they refuse them.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_input_ends_as_it_must(case: Case, tmp_path, ferclean, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = ferclean(*case.build(tmp_path))
    (check_refused if case.error is not None else check_set_aside)(case, tmp_path, ended)
    assert not (tmp_path / "ran").exists(), "a program in the input was run"


def test_there_are_many_and_no_two_are_the_same(tmp_path):
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    digests = set()
    for number, case in enumerate(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        digests.add(content_digest(folder, case.build(folder)))
    assert len(digests) == len(CASES)
    refused = [case for case in CASES if case.error is not None or case.reasons]
    assert len(refused) >= 200, len(refused)
    print(f"{len(refused)} refused or set aside, {len(CASES) - len(refused)} odd but taken")
