"""``ferclean review`` and ``ferclean audit --review``: options and mistakes."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest


@pytest.fixture
def received(monkeypatch):
    found = {}
    module = types.ModuleType("ferclean.steps.review")
    module.review = lambda **given: found.update(given)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return found


def test_the_review_file_of_the_workflow_is_the_default(here, received, ferclean):
    code, _, err = ferclean("review", "FOLDER")
    assert (code, err) == (0, "")
    assert received == {
        "audit": Path("FOLDER"),
        "decisions": Path("data/review/review.csv"),
        "reviewer": None,
        "port": 0,
        "open_browser": True,
    }


def test_options_reach_the_server(here, received, ferclean):
    options = ("--decisions", "FILE", "--reviewer", "Ann", "--port", "8000", "--no-open")
    assert ferclean("review", "FOLDER", *options)[0] == 0
    assert (received["decisions"], received["reviewer"]) == (Path("FILE"), "Ann")
    assert (received["port"], received["open_browser"]) == (8000, False)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["review", "absent"], "audit must be a folder, found nothing at absent"),
        (["review", "FILE"], "audit must be a folder, found a file at FILE"),
        (["review", "FOLDER", "--decisions", "FOLDER"], "--decisions must be a file"),
        (["review", "FOLDER", "--port", "-1"], "--port must be at least 0, found -1"),
        (["audit", "--out", "o", "--data", "FOLDER", "--review", "no"], "--review must be a file"),
        (
            ["audit", "--out", "o", "--labels", "FILE", "--pred-probs", "FILE", "--review", "FILE"],
            "--aligned, --params and --review go with --data",
        ),
    ],
)
def test_a_mistake_is_one_sentence(here, ferclean, given, sentence):
    code, _, err = ferclean(*given)
    assert code == 2 and err.startswith("error: ") and err.count("\n") == 1
    assert sentence in err


def test_a_folder_without_a_page_is_told(here, ferclean):
    code, _, err = ferclean("review", "FOLDER")
    assert code == 2
    assert err.startswith("error: FOLDER holds no review page: make one with ferclean audit")


def test_a_review_file_that_is_none_is_told_before_anything_is_served(here, ferclean):
    (here / "FOLDER" / "review").mkdir()
    (here / "FOLDER" / "review" / "index.html").touch()
    (here / "FILE").write_text("a,b\n")
    code, _, err = ferclean("review", "FOLDER", "--decisions", "FILE")
    assert code == 2 and "FILE must have the columns sample_id, given" in err
