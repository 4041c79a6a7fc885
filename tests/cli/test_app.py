"""The command line: wiring to the steps, exit codes, one clear sentence for every mistake."""

from __future__ import annotations

import dataclasses
import inspect
import os
import signal
import subprocess
import sys
import types
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ferclean as package
from ferclean.cli.app import app, main
from ferclean.config.sections import SECTIONS
from ferclean.config.steps import STEP_SECTIONS
from ferclean.config.wiring import code_digest
from ferclean.errors import FercleanError
from ferclean.steps.training_inputs import RunFiles
from fixtures.step_calls import STEP_CALLS, arguments

FOR_PEOPLE = ("audit", "predict", "export-model", "export", "review", "doctor", "params", "unpack")
# The others read no setting and take no params.yaml.
READING_SETTINGS = {step for step, sections in STEP_SECTIONS.items() if sections}
SOURCE = Path(package.__file__).resolve().parents[1]


def fake_step(monkeypatch, step: str, function) -> None:
    name = step.replace("-", "_")
    module = types.ModuleType(f"ferclean.steps.{name}")
    setattr(module, name, function)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_there_is_a_command_for_every_step_and_a_call_for_every_command():
    commands = {command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    assert commands == {*STEP_SECTIONS, *FOR_PEOPLE}
    assert set(STEP_CALLS) == set(STEP_SECTIONS)


@pytest.mark.parametrize("step", STEP_SECTIONS)
def test_a_command_passes_its_options_and_exactly_its_sections(step, here, monkeypatch, ferclean):
    received = {}

    def record(files: RunFiles | None = None, **given):
        received.update({**(vars(files) if files else {}), **given})

    fake_step(monkeypatch, step, record)
    code, _, err = ferclean(*arguments(step))
    assert (code, err) == (0, "")
    settings = received.pop("settings") if step in READING_SETTINGS else None
    assert received.pop("side", {}) == received.pop("others", {}) == {}
    paths = ("FILE", "FOLDER", "NEW")
    assert received == {
        name: Path(str(value)) if value in paths else value
        for name, value in STEP_CALLS[step].items()
    }
    for section in SECTIONS if settings else ():
        if section in STEP_SECTIONS[step]:
            assert getattr(settings, section) is not None
        else:
            with pytest.raises(FercleanError):
                getattr(settings, section)


@pytest.mark.parametrize("step", STEP_SECTIONS)
def test_a_command_fits_the_signature_of_its_step(step):
    name = step.replace("-", "_")
    module = import_module(f"ferclean.steps.{name}")
    expected = inspect.signature(getattr(module, name)).parameters
    of_the_run = {field.name for field in dataclasses.fields(RunFiles)} - {"side"}
    given = {*STEP_CALLS[step], *(["settings"] if step in READING_SETTINGS else [])}
    if "files" in expected:
        assert of_the_run <= given
        given = {"files"} | given - of_the_run
    assert set(expected) - {"others"} == given
    keywords = [p for name, p in expected.items() if name != "files"]
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in keywords)


@pytest.mark.parametrize("step", STEP_SECTIONS)
def test_every_option_has_a_help_text(step):
    result = CliRunner().invoke(app, [step, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for name in (*STEP_CALLS[step], *(["params"] if step in READING_SETTINGS else [])):
        option = f"--{name.replace('_', '-')}"
        line = next(line for line in result.output.splitlines() if f" {option} " in line)
        assert "." in line.split(option)[1]


@pytest.mark.parametrize(
    ("step", "changes", "sentence"),
    [
        ("partition", {"labels": "absent"}, "--labels must be a file, found nothing at absent"),
        ("partition", {"labels": "FOLDER"}, "--labels must be a file, found a folder at FOLDER"),
        ("partition", {"output": "FILE"}, "--output must be a folder, found a file at FILE"),
        ("report", {"output": "FOLDER"}, "--output must be a file, found a folder at FOLDER"),
        ("ingest", {"output": "FILE"}, "--output must be a folder, found a file at FILE"),
        ("evaluate", {"denoise": "FILE"}, "--denoise must be a folder, found a file at FILE"),
        ("evaluate", {"pretrain": "no"}, "--pretrain must be a folder, found nothing at no"),
        ("evaluate", {"denoise": "FILE/x"}, "--denoise must be a folder, found nothing at FILE/x"),
        ("partition", {"labels": "/dev/null"}, "--labels must be a file, found something else"),
        ("partition", {"labels": "x" * 300}, "File name too long"),
        ("evaluate", {"rounds": -1}, "--rounds must be at least 0, found -1"),
        ("train", {"round_number": 0}, "--round-number must be at least 1, found 0"),
        ("train", {"seed": -3}, "--seed must be at least 0, found -3"),
        ("train", {"method": "smrr"}, "'smrr'; did you mean 'smr'?"),
        ("train", {"device": "gpu"}, "unknown value for --device 'gpu'"),
        ("inject-noise", {"kind": "symetric"}, "'symetric'; did you mean 'symmetric'?"),
        ("inject-noise", {"rate": 1.5}, "--rate must lie between 0 and 1, found 1.5"),
        ("inject-noise", {"rate": "nan"}, "--rate must lie between 0 and 1, found nan"),
        ("ingest", {"params": "no.yaml"}, "params file not found: no.yaml"),
        ("ingest", {"params": "FOLDER"}, "cannot read params file FOLDER: Is a directory"),
        ("ingest", {"params": "{"}, "--params is not valid JSON"),
        ("ingest", {"params": "{}"}, "--params: section 'data' is missing"),
        ("ingest", {"params": '{"data": {"sorce": 1}}'}, "did you mean 'source'?"),
        ("ingest", {"params": '{"data": {"source": "x"}}'}, "unknown value for data.source 'x'"),
        ("ingest", {"params": '{"data": {"max_pixels": 0.5}}'}, "must be an integer, found 0.5"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    step, changes, sentence, here, monkeypatch, ferclean
):
    fake_step(monkeypatch, step, lambda **given: pytest.fail("the step must not be called"))
    code, out, err = ferclean(*arguments(step, **changes))
    assert code == 2
    assert sentence in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert out == ""


def test_an_error_of_a_step_is_one_line(here, monkeypatch, ferclean):
    def step(**given):
        raise FercleanError("labels.parquet: broken\n  at row 3")

    fake_step(monkeypatch, "ingest", step)
    code, _, err = ferclean(*arguments("ingest"))
    assert (code, err) == (2, "error: labels.parquet: broken at row 3\n")


def test_a_bug_keeps_its_traceback(here, monkeypatch):
    def step(**given):
        raise ZeroDivisionError("a bug")

    fake_step(monkeypatch, "ingest", step)
    monkeypatch.setattr(sys, "argv", ["ferclean", *arguments("ingest")])
    with pytest.raises(ZeroDivisionError):
        main()


def test_an_interrupt_ends_with_130(here, monkeypatch, ferclean):
    def step(**given):
        raise KeyboardInterrupt

    fake_step(monkeypatch, "ingest", step)
    code, _, err = ferclean(*arguments("ingest"))
    assert code == 130
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "given", [["ingets"], ["ingest", "--outptu", "x"], ["ingest"], ["train", "--seed", "two"]]
)
def test_wrong_usage_ends_with_2(given, here, ferclean):
    code, _, err = ferclean(*given)
    assert code == 2
    assert "Usage" in err
    assert "Traceback" not in err


def test_help_shows_both_panels_and_version_the_version(ferclean):
    code, out, _ = ferclean("--help")
    assert code == 0
    assert out.index("Workflow steps") < out.index("For people") < out.index("doctor")
    assert all(step in out for step in STEP_SECTIONS)
    assert ferclean("--version") == (0, f"{package.__version__}\n", "")


def python(*given: str, **options) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    return subprocess.run(
        [sys.executable, *given], capture_output=True, text=True, env=environment, **options
    )


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['ferclean', '--help']\n"
        "from ferclean.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'torchvision', 'numpy', 'pandas', 'pyarrow', 'scipy', 'sklearn',\n"
        "         'PIL', 'matplotlib', 'gensim', 'facenet_pytorch', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    assert python("-c", code).stderr.strip() == "[]"


@pytest.mark.slow
def test_the_module_runs_as_a_program(tmp_path):
    ended = python("-m", "ferclean", "ingest", "--output", "x", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: params file not found: params.yaml\n"
    assert python("-m", "ferclean", "--version").stdout == f"{package.__version__}\n"


def test_a_bug_shows_its_traceback_and_exits_with_1(tmp_path):
    code = (
        "import sys, types; sys.argv = ['ferclean', 'ingest', '--output', 'x', '--params', "
        "'{\"data\": {}}']\n"
        "step = types.ModuleType('ferclean.steps.ingest'); step.ingest = lambda **given: 1 / 0\n"
        "sys.modules[step.__name__] = step\n"
        "from ferclean.cli.app import main; main()"
    )
    ended = python("-c", code, cwd=tmp_path)
    assert ended.returncode == 1
    assert "ZeroDivisionError: division by zero" in ended.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
def test_ctrl_c_ends_with_130(tmp_path):
    code = (
        # A background job of a shell ignores interrupts, and so would its children.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, time, types; sys.argv = ['ferclean', 'ingest', '--output', 'x', '--params', "
        "'{\"data\": {}}']\n"
        "def wait(**given): print('started', flush=True); time.sleep(60)\n"
        "step = types.ModuleType('ferclean.steps.ingest'); step.ingest = wait\n"
        "sys.modules[step.__name__] = step\n"
        "from ferclean.cli.app import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=os.environ | {"PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.parametrize("option", ["landmarks", "unheard_of=FILE", "=FILE"])
def test_a_side_input_must_have_a_known_name_and_a_file(option, here, ferclean):
    code, _, err = ferclean(*arguments("pretrain"), "--side-input", option)
    assert code == 2 and "--side-input must be NAME=FILE" in err


def test_a_job_refuses_other_code_than_it_was_planned_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("")
    planned = code_digest("partition", SOURCE / "ferclean")
    told = {}
    for name, digest in {"same": planned, "other": "0" * 16}.items():
        monkeypatch.setenv("FERCLEAN_CODE", digest)
        result = CliRunner().invoke(app, arguments("partition"))
        told[name] = str(result.exception)
    assert "source of partition was edited after Snakemake had planned" in told["other"]
    assert "Snakemake" not in told["same"]
    monkeypatch.setenv("FERCLEAN_CODE", "0" * 16)
    assert CliRunner().invoke(app, ["params", "--preset", "fer"]).exit_code == 0
