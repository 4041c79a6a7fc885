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

from ferclean.config.steps import STEP_SECTIONS
from ferclean.config.wiring import sources_of
from workflow.edits import edited, leaves
from workflow.project import ROOT, Project, tiny_params

pytestmark = pytest.mark.end_to_end

PARAMS = tiny_params()
LEAVES = list(leaves(PARAMS))
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PACKAGE = ROOT / "src" / "ferclean"
PACKAGE_FILES = sorted(
    str(file.relative_to(ROOT))
    for file in PACKAGE.rglob("*")
    if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".tmp"
)
# The rules of workflow/rules/<stage>.smk are what stage <stage> of dvc.yaml runs.
RULE_FILES = {file.stem: file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk")}
RULE_TEXTS = {
    part.partition(":")[0]: part
    for text in RULE_FILES.values()
    for part in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]
}
STAGE_OF = {
    rule: stage
    for stage, text in RULE_FILES.items()
    for rule in re.findall(r"^rule (\w+):", text, re.MULTILINE)
}
CALL = re.compile(r"-m ferclean ([\w-]+)")
STEPS_OF = {stage: found for stage, text in RULE_FILES.items() if (found := CALL.findall(text))}


def stages_of(file: str) -> frozenset[str]:
    """Stages of dvc.yaml that depend on a file."""
    return frozenset(
        stage
        for stage, content in STAGES.items()
        if any(Path(file).is_relative_to(dep) for dep in content["deps"])
    )


# Files on which the same stages depend are edited together. No stage depends on the plumbing.
GROUPS: dict[frozenset[str], list[str]] = {}
for package_file in PACKAGE_FILES:
    GROUPS.setdefault(stages_of(package_file), []).append(package_file)


def group_name(stages: frozenset[str]) -> str:
    return "+".join(sorted(stages)) or "plumbing"


def ask(project: Project, edits: dict[str, dict[str, str]]) -> dict[str, tuple[set[str], set[str]]]:
    """Stages that Snakemake and DVC would run, first-hand, after each edit (path, text) alone."""
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


def inputs_by_rule(project: Project) -> list[tuple[str, list[str]]]:
    """Rule and input files of each output, as Snakemake lists them."""
    header, *rows = [
        line.split("\t")
        for line in project.snakemake("--detailed-summary").splitlines()
        if line.count("\t") >= 7
    ]
    rule, files = header.index("rule"), header.index("input-file(s)")
    return [(row[rule], [file for file in row[files].split(",") if file]) for row in rows]


@pytest.fixture(scope="module")
def answers(finished: Project, tmp_path_factory) -> dict[str, tuple[set[str], set[str]]]:
    """Answers to all edits; two copies of the project are asked at once."""
    edits = {
        leaf: {"params.yaml": yaml.safe_dump(edited(PARAMS, leaf), sort_keys=False)}
        for leaf in LEAVES
    }
    for stages, files in GROUPS.items():
        edits[group_name(stages)] = {f: (ROOT / f).read_text() + "\n\n" for f in files}
    folder = tmp_path_factory.mktemp("agreement")
    copies = [finished.copy(folder / str(number)) for number in range(2)]
    halves = [dict(list(edits.items())[start::2]) for start in range(2)]
    with ThreadPoolExecutor(len(copies)) as pool:
        parts = list(pool.map(ask, copies, halves))
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


@pytest.mark.parametrize("stages", GROUPS, ids=group_name)
def test_the_stages_that_name_a_group_of_source_files_are_stale_after_an_edit(stages, answers):
    """Both tools find just the stages of dvc.yaml; with the next test, for each file alone."""
    assert answers[group_name(stages)] == (stages, stages), GROUPS[stages]


def test_steps_read_the_source_files_that_their_stage_depends_on():
    read: dict[str, set[str]] = {}
    for stage, steps in STEPS_OF.items():
        for file in {file for step in steps for file in sources_of(step, PACKAGE)}:
            read.setdefault(str(Path(file).relative_to(ROOT)), set()).add(stage)
    by_sources = {file: read.get(file, set()) for file in PACKAGE_FILES}
    assert by_sources == {file: set(stages_of(file)) for file in PACKAGE_FILES}


def test_every_rule_that_calls_a_step_carries_the_digest_of_its_source():
    called = [step for steps in STEPS_OF.values() for step in steps]
    assert sorted(called) == sorted(STEP_SECTIONS)
    for rule, text in RULE_TEXTS.items():
        steps = CALL.findall(text)
        assert re.findall(r'code=code_digest\("([\w-]+)"\)', text) == steps, rule
        assert text.count("FERCLEAN_CODE={params.code} python3 -m ferclean") == len(steps), rule


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
    found = ask(project, {"same": {path: words.read_text()}, "words": {path: changed}})
    # Those who read the vectors have not seen the new ones yet. Snakemake lists the first of
    # them, and the others, who read what it makes too, as a consequence of that.
    readers = {"embed", "pretrain", "denoise", "report"}
    assert found["same"] == ({"embed"}, readers)
    assert found["words"] == ({"semantics"}, readers | {"semantics"})


def test_each_stage_depends_on_what_its_rules_read(finished):
    """Deps of dvc.yaml cover the inputs of the stage's rules, and nothing it does not read."""
    inputs = inputs_by_rule(finished)
    for stage, content in STAGES.items():
        deps = [dep for dep in content["deps"] if not dep.startswith("data/")]
        outs = [Path(next(iter(out)) if isinstance(out, dict) else out) for out in content["outs"]]
        read = {
            file
            for rule, files in inputs
            if STAGE_OF[rule] == stage
            for file in files
            if not any(Path(file).is_relative_to(out) for out in outs)
        }
        sources = {file for step in STEPS_OF[stage] for file in sources_of(step, PACKAGE)}
        read |= {str(Path(file).relative_to(ROOT)) for file in sources}
        uncovered = {f for f in read if not any(Path(f).is_relative_to(dep) for dep in deps)}
        unread = {dep for dep in deps if not any(Path(f).is_relative_to(dep) for f in read)}
        assert (uncovered, unread) == (set(), set()), stage
