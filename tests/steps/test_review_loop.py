"""The whole loop: audit, decide in the browser, export, audit again with the decisions."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from ferclean.cli.app import app
from ferclean.config.presets import load_preset
from ferclean.tables.labels import read_label_table
from ferclean.tables.review import read_review
from fixtures.browser import chromium


@pytest.fixture
def command(tmp_path):
    """Write ninety bright bars in class folders; return the call that audits them."""
    random = np.random.default_rng(0)
    for row in range(90):
        true = row % 3
        face = random.integers(0, 90, size=(24, 24)).astype(np.uint8)
        face[4 + 6 * true : 8 + 6 * true] += 150
        label = (true + 1) % 3 if row % 6 == 5 else true
        folder = tmp_path / "set" / ("sad", "happy", "fear")[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(folder / f"{row:03d}-{true}.png")
    values = load_preset("audit")
    values["training"] |= {"warm_up_epochs": 2, "epochs_per_round": 2, "batch_size": 16}
    values["align"]["size"] = 24
    (tmp_path / "quick.yaml").write_text(json.dumps(values))
    return [
        *("audit", "--data", str(tmp_path / "set"), "--aligned"),
        *("--params", str(tmp_path / "quick.yaml"), "--out", str(tmp_path / "out")),
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
    assert unchanged.output.count("done before") == 4
