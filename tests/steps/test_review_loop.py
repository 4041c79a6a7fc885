"""The whole loop: audit, decide in the browser, export, audit again with the decisions."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

from ferclean.cli.app import app
from ferclean.tables.labels import read_label_table
from ferclean.tables.review import read_review
from fixtures.browser import chromium
from fixtures.class_folders import write_bars, write_quick_params

pytestmark = pytest.mark.slow


@pytest.fixture
def command(tmp_path):
    """Return the call that audits a small set."""
    pictures = write_bars(tmp_path / "set")
    params = write_quick_params(tmp_path / "quick.yaml", epochs=2)
    return [
        *("audit", "--data", str(pictures), "--aligned"),
        *("--params", params, "--out", str(tmp_path / "out")),
    ]


def test_what_a_person_decides_wins_when_the_labels_are_audited_again(command, tmp_path):
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    before = pd.read_parquet(tmp_path / "out" / "audit.parquet").set_index("sample_id")
    exported = tmp_path / "review.csv"
    with chromium() as browser:
        page = browser.new_page()
        page.goto((tmp_path / "out" / "index.html").as_uri())
        page.click("text=Review the doubtful labels")
        page.wait_for_selector("html[data-ready]")
        page.fill("#reviewer", "Ann")
        page.press("#reviewer", "Tab")
        page.focus("#list")
        for key in ("1", "2", "m", "x"):
            page.keyboard.press(key)
        with page.expect_download() as waiting:
            page.click("#export")
        waiting.value.save_as(exported)
    decisions = {row.sample_id: row for row in read_review(exported)}
    assert len(decisions) == 4
    again = CliRunner().invoke(app, [*command, "--review", str(exported)])
    assert again.exit_code == 0, again.output
    assert "review: 4 rows decided by people" in again.output
    assert again.output.count("done before") == 2  # the pictures are not read again
    after = pd.read_parquet(tmp_path / "out" / "audit.parquet").set_index("sample_id")
    labels = read_label_table(tmp_path / "out/work/noise/labels.parquet").frame.set_index(
        "sample_id"
    )
    assert sorted(after.index) == sorted(before.index)
    assert (after["given_label"] == before["given_label"].reindex(after.index)).all()
    for name, row in decisions.items():
        assert after.loc[name, "reviewed_decision"] == row.decision
        assert (after.loc[name, "reviewed_by"], after.loc[name, "reviewed_at"]) == ("Ann", row.time)
        assert labels.loc[name, "given"] == row.given
        if row.label:
            assert after.loc[name, "suggested_label"] == labels.loc[name, "observed"] == row.label
        elif row.decision == "not_a_face":
            assert labels.loc[name, "split"] == "excluded"
            assert after.loc[name, "verdict"] == "out_of_scope"
        else:
            assert after.loc[name, "verdict"] == "ambiguous"
    page_text = (tmp_path / "out" / "index.html").read_text()
    assert "People have decided about 4 of them" in page_text
    unchanged = CliRunner().invoke(app, [*command, "--review", str(exported)])
    steps = len(list((tmp_path / "out" / "work").glob("*.done")))
    assert unchanged.output.count("done before") == steps
