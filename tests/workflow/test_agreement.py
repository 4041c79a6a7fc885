"""Snakemake and DVC must agree on what an edit makes stale, and on when nothing is."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from workflow.edits import edited, leaves
from workflow.project import ROOT, Project, tiny_params

pytestmark = pytest.mark.end_to_end

PARAMS = tiny_params()
LEAVES = list(leaves(PARAMS))
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
DEPENDENCIES = sorted({dep for stage in STAGES.values() for dep in stage["deps"]})
PACKAGE_FILES = sorted(
    str(file.relative_to(ROOT))
    for file in (ROOT / "src" / "ferclean").rglob("*")
    if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".tmp"
)
SOURCES = [f for f in PACKAGE_FILES if any(Path(f).is_relative_to(dep) for dep in DEPENDENCIES)]
PLUMBING = [file for file in PACKAGE_FILES if file not in SOURCES]
# The rules of workflow/rules/<stage>.smk are what stage <stage> of dvc.yaml runs.
STAGE_OF = {
    rule: file.stem
    for file in (ROOT / "workflow" / "rules").glob("*.smk")
    for rule in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)
}


def source_edit(file: str) -> dict[str, str]:
    return {"name": file, "path": file, "text": (ROOT / file).read_text() + "\n\n"}


def ask(project: Project, edits: list[dict[str, str]]) -> dict[str, tuple[set[str], set[str]]]:
    """Stages that Snakemake and DVC would run, first-hand, after each edit alone."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "workflow" / "dry_runs.py")],
        cwd=project.path,
        env=project.environment,
        input=json.dumps(edits),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return {
        name: ({STAGE_OF[rule] for rule in rules}, set(stages))
        for name, (rules, stages) in json.loads(done.stdout).items()
    }


@pytest.fixture(scope="module")
def answers(finished: Project, tmp_path_factory) -> dict[str, tuple[set[str], set[str]]]:
    """Answers to all edits; two copies of the project are asked at once."""
    text = {leaf: yaml.safe_dump(edited(PARAMS, leaf), sort_keys=False) for leaf in LEAVES}
    edits = [{"name": leaf, "path": "params.yaml", "text": text[leaf]} for leaf in LEAVES]
    edits += [source_edit(file) for file in (*SOURCES, *PLUMBING)]
    folder = tmp_path_factory.mktemp("agreement")
    copies = [finished.copy(folder / str(number)) for number in range(2)]
    with ThreadPoolExecutor(len(copies)) as pool:
        parts = list(pool.map(ask, copies, (edits[::2], edits[1::2])))
    assert all(copy.has_nothing_to_do() and copy.is_clean_for_dvc() for copy in copies)
    return parts[0] | parts[1]


def test_after_dvc_repro_nothing_is_left_to_do(finished):
    assert finished.has_nothing_to_do()
    assert finished.is_clean_for_dvc()


@pytest.mark.parametrize("leaf", LEAVES)
def test_the_same_stages_are_stale_after_an_edit_of_params(leaf, answers):
    by_snakemake, by_dvc = answers[leaf]
    assert by_snakemake == by_dvc
    assert by_dvc, "no stage reads this key"


@pytest.mark.parametrize("file", SOURCES)
def test_the_same_stages_are_stale_after_an_edit_of_a_source_file(file, answers):
    by_snakemake, by_dvc = answers[file]
    assert by_snakemake == by_dvc
    assert by_dvc, "a dependency that changes nothing"


@pytest.mark.parametrize("file", PLUMBING)
def test_plumbing_makes_nothing_stale(file, answers):
    assert answers[file] == (set(), set())


def test_touching_every_file_makes_nothing_stale(copy_of_finished):
    for folder, _, names in os.walk(copy_of_finished.path):
        if not {".git", ".dvc", ".snakemake"} & set(Path(folder).parts):
            for name in names:
                os.utime(Path(folder) / name)
    assert copy_of_finished.has_nothing_to_do()
    assert copy_of_finished.is_clean_for_dvc()


def test_the_same_stages_are_stale_after_an_edit_of_the_users_own_file(copy_of_finished):
    project = copy_of_finished
    words = project.path / "data" / "words" / "seven.txt"
    rows = [f"{name} {i} {i * i} 1" for i, name in enumerate(PARAMS["data"]["classes"])]
    words.write_text(f"{len(rows)} 3\n" + "\n".join(rows) + "\n")
    project.change_params({"semantics": {"source": "file", "path": "data/words/seven.txt"}})
    project.dvc("repro", "semantics")
    changed = words.read_text().replace("0 0 1", "5 0 1")
    path = str(words.relative_to(project.path))
    unchanged = {"name": "same", "path": path, "text": words.read_text()}
    edit = {"name": "words", "path": path, "text": changed}
    found = ask(project, [unchanged, edit])
    # Those who read the vectors have not seen the new ones yet. Snakemake lists the first of
    # them, and the others, who read what it makes too, as a consequence of that.
    readers = {"embed", "pretrain", "denoise", "report"}
    assert found["same"] == ({"embed"}, readers)
    assert found["words"] == ({"semantics"}, readers | {"semantics"})


def test_each_stage_depends_on_what_its_rules_read(finished):
    """Deps of dvc.yaml cover the inputs of the stage's rules, and nothing it does not read."""
    header, *rows = [
        line.split("\t")
        for line in finished.snakemake("--detailed-summary").splitlines()
        if line.count("\t") >= 7
    ]
    for stage, content in STAGES.items():
        deps = [dep for dep in content["deps"] if not dep.startswith("data/")]
        outs = [Path(next(iter(out)) if isinstance(out, dict) else out) for out in content["outs"]]
        read = {
            file
            for row in rows
            if STAGE_OF[row[header.index("rule")]] == stage
            for file in row[header.index("input-file(s)")].split(",")
            if file and not any(Path(file).is_relative_to(out) for out in outs)
        }
        uncovered = {f for f in read if not any(Path(f).is_relative_to(dep) for dep in deps)}
        unread = {dep for dep in deps if not any(Path(f).is_relative_to(dep) for f in read)}
        assert (uncovered, unread) == (set(), set()), stage
