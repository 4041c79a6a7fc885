"""README, CONTRIBUTING and docs agree with the project."""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

import ferclean
from ferclean.config.methods import MethodsSettings
from ferclean.methods.registry import build_recipe
from ferclean.methods.remedies import human_share, noise_urgency

ROOT = Path(__file__).resolve().parents[1]
PAPERS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/methods.md",
    "docs/params.md",
    "docs/scaling.md",
)


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("paper", PAPERS)
def test_links_lead_to_files(paper):
    text = (ROOT / paper).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        if not target.startswith("https://"):
            assert ((ROOT / paper).parent / target).is_file(), target


def test_the_first_two_commands_of_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```\n(.*?)```", text, re.DOTALL).group(1)
    assert [line.split("#")[0].strip() for line in block.splitlines()] == ["make run", "make test"]


def test_every_dependency_has_its_reason():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Dependencies and why")[1]
    optional = project()["optional-dependencies"].values()
    declared = [*project()["dependencies"], *chain.from_iterable(optional)]
    names = {re.match(r"[\w-]+", line).group() for line in declared}
    names.discard("snakemake-executor-plugin-slurm")  # there as "its SLURM plugin"
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", table)] == []


def test_the_version_is_one():
    assert project()["version"] == ferclean.__version__


@pytest.fixture(scope="module")
def results_page():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        return importlib.import_module("render_results").render()


def test_the_results_page_is_that_of_the_records(results_page):
    assert (ROOT / "docs" / "results.md").read_text() == results_page


@pytest.mark.parametrize(
    ("paper", "at_least"),
    [("README.md", 16), ("docs/audit.md", 4), ("docs/own_data.md", 20), ("docs/scaling.md", 10)],
)
def test_results_told_elsewhere_are_those_of_the_records(paper, at_least, results_page):
    section = (ROOT / paper).read_text().split("<!-- results:begin")[1]
    section = section.split("<!-- results:end")[0].split("-->", 1)[1]
    # Decimals, and whole numbers with thousands set apart.
    number = r"\d+\.\d+|\d{1,3}(?:,\d{3})+"
    numbers = set(re.findall(number, section))
    assert len(numbers) >= at_least
    assert numbers <= set(re.findall(number, results_page))


def test_what_the_audits_page_counts_is_on_record():
    cases = json.loads((ROOT / "benchmarks/results/audit_suite.json").read_text())["cases"]
    clean = [case for name, case in cases.items() if "-none-" in name]
    noisy = [case for name, case in cases.items() if "-none-" not in name]
    flipped = [case for name, case in cases.items() if name.split("-")[1] in ("sym", "pair", "cls")]
    behind = [max(c["f1_argmax"], c["f1_cleanlab"]) - c["f1_audit"] > 0.01 for c in flipped]
    weakest = max(clean, key=lambda case: case["estimated_noise_rate"])
    runs = json.loads((ROOT / "benchmarks/results/p1_r00.json").read_text())["runs"]
    kept = runs["none-0-seed0/ferclean"]["metrics"]["label_accuracy_final"]
    estimated = np.mean([case["estimated_noise_rate"] for case in clean])
    after = np.mean([case["labels_right_after"] for case in clean])
    page = " ".join((ROOT / "docs/audit.md").read_text(encoding="utf-8").split())
    for words in (
        f"in {sum(behind)} of {len(behind)} such cases",
        f"in {sum(case['within_bounds'] for case in noisy):.0f} of {len(noisy)} recorded cases",
        f"estimates {estimated:.1%} wrong on average".replace("%", " %"),
        f"would leave {after:.1%} right".replace("%", " %"),
        f"it is {100 * weakest['estimated_noise_rate']:.0f} and "
        f"{100 * weakest['labels_right_after']:.0f} %",
        f"after 20 epochs would leave {kept:.1%} right".replace("%", " %"),
    ):
        assert words in page


def test_what_is_said_of_translation_is_on_record():
    folder, run = ROOT / "benchmarks/results", "none-0-seed0/ferclean"
    found = [
        json.loads((folder / f"{name}.json").read_text())["runs"][run]["metrics"]
        for name in ("p1_real", "p1_real_untranslated")
    ]
    (accuracy, plain), (by_class, plain_by_class) = (
        [f"{100 * each[f'test_{key}_last_epoch']:.1f}" for each in found]
        for key in ("accuracy", "mean_class_accuracy")
    )
    page = " ".join((ROOT / "docs/methods.md").read_text(encoding="utf-8").split())
    assert f"{accuracy} % against {plain} % without, of one seed" in page
    assert f"falls, there from {plain_by_class} to {by_class} %" in page


def test_first_audits_in_the_docs_are_those_on_record_and_lead_to_what_is_said():
    record = json.loads((ROOT / "benchmarks/results/first_audits.json").read_text())["audits"]
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    table = page.split("| labels | wrong | noise rate |")[1].split("\n\n")[0].splitlines()[2:]
    assert len(table) == len(record)
    recipe = build_recipe("ferclean", MethodsSettings())
    for line, found in zip(table, record.values(), strict=True):
        share, urgency = human_share(found["steepness"]), noise_urgency(found["noise_rate"])
        repairs = recipe.repairs(np.array([share, urgency, found["expected_right"]]))
        assert repairs == found["repairs"]
        regularised = share * urgency > 0.5
        cells = [
            f"{found['wrong_labels']:.1%}".replace("%", " %"),
            f"{found['noise_rate']:.1%}".replace("%", " %"),
            f"{urgency:.2f}",
            f"{found['steepness']:.2f}",
            f"{share:.2f}",
            f"{found['expected_right']:.3f}",
            f"{0.92 - 0.07 * urgency:.3f}",
            "repair" if repairs else "learn, regularised" if regularised else "learn",
        ]
        assert [cell.strip() for cell in line.strip("|").split("|")][1:] == cells
