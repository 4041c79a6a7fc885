from __future__ import annotations

import pytest

from ferclean.config.load import build_settings
from ferclean.errors import FercleanError
from ferclean.steps.cards import cards
from fixtures.fake_run import make_fake_results

SECTIONS = ("data", "align", "model", "training", "methods")


@pytest.fixture(scope="module")
def fake(tmp_path_factory):
    found = make_fake_results(tmp_path_factory.mktemp("cards"), methods=("smr", "cross_entropy"))
    found.summarise()
    return found


def write(fake, output, run=None, **sections):
    raw = {name: {} for name in SECTIONS} | sections
    cards(
        prepare=fake.root / "prepare", noise=fake.root / "noise",
        evaluations=fake.root / "evaluate", summary=fake.root / "summary",
        run=run or fake.runs, output=output, settings=build_settings(raw, SECTIONS),
    )  # fmt: skip
    return {str(path.relative_to(output)): path.read_text() for path in output.rglob("*.md")}


def test_there_is_a_card_of_the_data_and_of_every_model(fake, tmp_path):
    found = write(fake, tmp_path, methods={"smr": {"alpha": 3.5}})
    assert set(found) == {"data_card.md", *(f"{run}.md" for run in fake.runs)}
    smr = found[f"{fake.setting}/smr.md"]
    assert "`methods.smr.alpha` | `3.5`" in smr and "mean of 1 seed |" in smr
    assert "methods.smr" not in found[f"{fake.setting}/cross_entropy.md"]
    assert write(fake, tmp_path) != found  # settings are told


def test_a_published_sets_terms_are_told(fake, tmp_path):
    found = write(fake, tmp_path, data={"source": "rafdb", "path": "x"})
    assert "pictures must not be passed on" in found["data_card.md"]


@pytest.mark.parametrize(
    ("classes", "told"),
    [(["cat", "dog"], False), (["happily surprised", "x"], True), (["Anger", "x"], True)],
)
def test_expressions_are_known_by_their_names(fake, tmp_path, classes, told):
    found = write(fake, tmp_path, data={"classes": classes})
    assert ("not feelings" in found["data_card.md"]) == told


def test_a_run_that_was_not_summarised_is_named(fake, tmp_path):
    with pytest.raises(FercleanError, match=r"results.csv lacks the run .*elr'; summarise it"):
        write(fake, tmp_path, run=[f"{fake.setting}/elr"])
