"""Files that no program reads at run time, but that a set-up or a release depends on."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from ferclean.config.steps import STEP_SECTIONS
from ferclean.datasets import examine
from ferclean.steps import align
from workflow.project import ROOT, tiny_params

LOCK = (ROOT / "requirements.lock").read_text()
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def test_the_lock_names_no_host_and_no_path():
    for line in LOCK.splitlines():
        assert re.match(r"#|    --hash=sha256:[0-9a-f]{64}( \\)?$|[a-z0-9._-]+==[^\s/]+ ", line), (
            line
        )
    assert "/" not in "".join(line for line in LOCK.splitlines() if not line.startswith("    --"))


def test_the_lock_pins_everything_that_the_package_and_its_extras_name():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {re.match(r"[\w-]+", name)[0].lower() for group in groups for name in group}
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", LOCK, re.MULTILINE))
    assert wanted - pinned == set()
    assert "setuptools" in pinned  # the set-up builds the package without isolation


def test_every_pin_has_a_hash():
    for entry in re.split(r"\n(?=[a-z])", LOCK.partition("make lock\n")[2]):
        assert "--hash=sha256:" in entry, entry[:80]


def test_stages_call_snakemake_in_one_way_and_keep_nothing_stale():
    for name, stage in STAGES.items():
        text = (ROOT / "workflow" / "rules" / f"{name}.smk").read_text()
        rules = " ".join(re.findall(r"^rule (\w+):", text, re.MULTILINE))
        assert stage["cmd"] == (
            "snakemake --workflow-profile profiles/dvc --cores all --resources gpu=1 "
            f"--allowed-rules {rules} -- all_{name}"
        )
        assert "persist" not in str(stage)


def test_stages_depend_on_the_sections_of_their_steps():
    """dvc.yaml and STEP_SECTIONS name the same sections (the grid decides which runs exist)."""
    steps = {
        "prepare": ("ingest", "align"),
        "noise": ("inject-noise",),
        "semantics": ("word-vectors",),
        "embed": ("semantic-embedding",),
        "pretrain": ("pretrain",),
        "denoise": ("partition", "train"),
        "audit": ("audit-run",),
        "evaluate": ("evaluate", "summarise"),
        "report": ("report", "cards"),
    }
    assert {step for group in steps.values() for step in group} == set(STEP_SECTIONS)
    for stage, names in steps.items():
        sections = {section for name in names for section in STEP_SECTIONS[name]}
        params = {key.partition(".")[0] for key in STAGES[stage]["params"]} - {"grid"}
        extra = {"training"} if stage == "evaluate" else set()
        assert params - extra == sections, stage


def test_every_rule_that_wants_a_gpu_asks_slurm_for_one():
    """A login node has none to count, so that the rules themselves come to 0 there."""
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "profile.v9+.yaml").read_text())
    files = (ROOT / "workflow" / "rules").glob("*.smk")
    rules = [part for file in files for part in re.split(r"^rule ", file.read_text(), flags=re.M)]
    wanting = {part.partition(":")[0] for part in rules if re.search(r"^ +gpu=GPU\b", part, re.M)}
    assert {"pretrain", "partition", "train"} < wanting
    assert profile["set-resources"] == {rule: {"gpu": 1} for rule in wanting}


def test_preparing_asks_for_as_many_threads_as_its_steps_can_use():
    text = (ROOT / "workflow" / "rules" / "prepare.smk").read_text()
    asked = re.findall(r"^rule (\w+):(?:\n .*)*?\n    threads: (\d+)$", text, re.M)
    most = {"ingest": examine._MOST_THREADS, "align": align._MOST_WORKERS}
    assert asked == [(rule, str(threads)) for rule, threads in most.items()]


def test_params_yaml_holds_every_key_that_dvc_reads():
    params = tiny_params()
    for stage in STAGES.values():
        for key in stage["params"]:
            value = params
            for part in key.split("."):
                value = value[part]


@pytest.mark.parametrize("python", ["no-such-python", "old"])
def test_the_set_up_says_in_one_sentence_that_python_is_too_old(tmp_path, python):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    old = tmp_path / "old"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.exit(1)"\n')
    old.chmod(0o755)
    choice = f"PYTHON={old if python == 'old' else python}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "run", choice], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    sentence, *rest = done.stderr.strip().splitlines()
    assert sentence.startswith("ferclean needs Python 3.11 or newer")
    assert all(line.startswith("make:") for line in rest)
    assert not (tmp_path / ".venv").exists()
