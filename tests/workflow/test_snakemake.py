"""The workflow as a person runs it: ``snakemake --cores all --resources gpu=1``."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from ferclean.tables.labels import read_label_table
from ferclean.tables.review import Decision, write_review
from workflow.project import Project

METHODS = ("smr", "sce_ald", "ferclean")

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def project(fresh: Project, scratch) -> Project:
    """Run by snakemake from nothing."""
    made = fresh.copy(scratch / "by-snakemake")
    made.snakemake()
    return made


def jobs_run(output: str) -> set[str]:
    """Names of the rules in snakemake's table of jobs."""
    _, _, table = output.partition("Job stats:")
    lines = table.strip().splitlines()[2:]
    names = [line.split()[0] for line in lines[: lines.index("")]]
    return set(names) - {"all", "total"}


def test_a_second_call_has_nothing_to_do(project):
    assert "Nothing to be done" in project.snakemake()


def test_every_run_has_a_label_table_for_every_round(project):
    rounds = project.read_params()["training"]["rounds"]
    for method in METHODS:
        folder = project.path / "results/denoise/symmetric-0.3-seed0" / method
        for number in range(rounds + 1):
            assert (folder / f"round_{number}" / "labels.parquet").is_file()
    metrics = json.loads((project.path / "results/summary/metrics.json").read_text())
    assert set(metrics) == {f"symmetric-0.3-seed0/{name}" for name in METHODS}
    assert (project.path / "results/audit/symmetric-0.3-seed0/index.html").is_file()


def test_only_the_report_follows_the_reports_settings(project, tmp_path):
    copy = project.copy(tmp_path / "copy")
    before = copy.digests()
    copy.change_params({"report": {"title": "Another heading"}})
    assert jobs_run(copy.snakemake()) == {"report"}
    assert "Another heading" in (copy.path / "results/report/index.html").read_text()
    changed = {file for file, digest in copy.digests().items() if before[file] != digest}
    assert changed == {"results/report/index.html"}


def test_the_rules_of_the_other_method_do_not_follow_a_methods_settings(project, tmp_path):
    copy = project.copy(tmp_path / "copy")
    copy.change_params({"methods": {"smr": {"alpha": 2.0}}})
    output = copy.run("snakemake", "--dry-run", "--cores", "2", "--quiet", "host")
    assert "Warm up symmetric-0.3-seed0/smr" in output
    assert "Warm up symmetric-0.3-seed0/sce_ald" not in output


def test_what_people_decided_wins_and_reruns_only_what_depends_on_it(project, tmp_path):
    copy = project.copy(tmp_path / "copy")
    noise = "results/noise/symmetric-0.3-seed0/labels.parquet"
    before = read_label_table(copy.path / noise)
    rows = before.take(before.in_split("train")).frame.iloc[:3]
    other = [next(c for c in before.classes if c != label) for label in rows["observed"]]
    name, second, third = rows["sample_id"]
    given = rows["observed"].tolist()
    made = [
        Decision(name, given[0], "relabel", other[0], "Ann", "2026-01-31T12:00:00Z"),
        Decision(second, given[1], "not_a_face", "", "Ann", "2026-01-31T12:00:00Z"),
    ]
    review = copy.path / "data" / "review" / "review.csv"
    write_review(made, review)
    copy.change_params({"review": {"path": "data/review/review.csv"}})
    follow = jobs_run(copy.snakemake("--dry-run"))
    assert {"inject_noise", "pretrain", "partition", "train", "audit_run", "evaluate"} <= follow
    assert follow.isdisjoint({"ingest", "align", "word_vectors"})
    copy.snakemake("--", noise)
    labels = read_label_table(copy.path / noise).frame.set_index("sample_id")
    assert labels.loc[name, "observed"] == labels.loc[name, "reviewed_label"] == other[0]
    assert labels.loc[second, "split"] == "excluded"
    assert labels["given"].tolist() == before.frame["given"].tolist()
    assert "Nothing to be done" in copy.snakemake("--dry-run", noise)
    made.append(Decision(third, given[2], "ambiguous", "", "Bo", "2026-02-01T12:00:00Z"))
    write_review(made, review)
    assert jobs_run(copy.snakemake("--dry-run", noise)) == {"inject_noise"}


def test_lint_finds_nothing(fresh):
    assert "Congratulations" in fresh.run("snakemake", "--lint")


def test_snakemakes_own_report_holds_ours_and_needs_no_network(project, tmp_path):
    report = tmp_path / "report.zip"
    # A name space without a network, where this user may make one.
    alone = ["unshare", "--net"]
    may = shutil.which("unshare") and subprocess.run([*alone, "true"]).returncode == 0
    offline = alone if may else []
    project.run(*offline, "snakemake", "--report", str(report))
    listing = subprocess.run(
        [sys.executable, "-m", "zipfile", "--list", str(report)], capture_output=True, text=True
    ).stdout
    assert "index.html" in listing


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"trainig": {}}, "unknown section 'trainig'"),
        ({"training": {"epochs": 3}}, "key in training 'epochs'"),
        ({"training": {"rounds": -1}}, "training.rounds must be at least 0, found -1"),
    ],
)
def test_a_wrong_setting_stops_before_any_job(fresh, tmp_path, changes, sentence):
    copy = fresh.copy(tmp_path / "copy")
    copy.change_params(changes)
    output = copy.run("snakemake", "--cores", "2", fails=True)
    assert sentence in output
    assert "Traceback" not in output
    assert not (copy.path / "results").exists()


def kill_during(project: Project, rule: str, deadline: float = 300) -> None:
    """Start snakemake and kill it, with all it started, while `rule` is at work."""
    command = ["snakemake", "--cores", "2"]
    started = subprocess.Popen(
        command,
        cwd=project.path,
        env=project.environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    resume = project.path / ".ferclean" / "resume"
    end = time.monotonic() + deadline
    while not any(resume.glob(f"{rule}-*.pt")):
        assert started.poll() is None, "finished before it could be killed"
        assert time.monotonic() < end, f"{rule} left no resume file"
        time.sleep(0.02)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def test_a_killed_run_resumes_to_the_same_label_tables_and_metrics(project, tmp_path):
    """Law: SIGKILL in the middle of training changes nothing in the end."""
    killed = project.copy(tmp_path / "killed")
    results = killed.path / "results"
    for made in (*results.glob("denoise/*/*/round_1"), results / "evaluate", results / "summary"):
        shutil.rmtree(made)
    kill_during(killed, "train")
    half_made = killed.digests()
    assert not half_made.keys() >= project.digests().keys()
    killed.snakemake("--unlock")
    killed.snakemake()
    assert killed.digests() == project.digests()
    logs = (results / "logs/train").rglob("*.log")
    assert any("resuming after epoch" in log.read_text() for log in logs)
    assert not any(name.startswith(".") for name in map(os.path.basename, half_made))


# The last of this file: another process may still be at the run by DVC.
def test_snakemake_and_dvc_make_the_same_bytes(project, finished):
    assert project.digests() == finished.digests()
    assert len(project.digests()) > 40
