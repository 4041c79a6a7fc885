"""Ask Snakemake and DVC what each of a list of edits makes stale, first-hand.

A program of its own, run inside a project: it reads edits as JSON, ``{name: {path: text}}``, from
standard input, and writes ``{name: [stale rules, stale stages]}``. It imports both tools, with what
they import late, once and forks for each question: several times faster than starting them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import dvc.cli
import dvc.commands.status
import dvc.repo.experiments
import dvc.repo.status
import snakemake.cli
import snakemake.report.html_reporter
import snakemake.workflow


def answer(main: Callable[[list[str]], object], arguments: list[str]) -> str:
    """Run a tool's main function in a fork; return its standard output."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            _exit_after(main, arguments)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        text = out.read().decode()
        if status != 0:
            raise RuntimeError(f"{arguments}: {text}\n{err.read().decode()}")
    return text


def _exit_after(main: Callable[[list[str]], object], arguments: list[str]) -> None:
    code = 1
    try:
        code = main(arguments) or 0
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code) if isinstance(code, int) else 1)


def stale_rules(paths: Collection[str]) -> list[str]:
    """Rules to run whose own inputs, parameters or code an edit of `paths` changed.

    Snakemake gives one reason a job, and a changed input comes after "input will be updated by
    another job": so a job that will run and lists an edited file counts as well.
    """
    lines = answer(snakemake.cli.main, ["--detailed-summary", "--nolock"]).splitlines()
    header, *table = [line.split("\t") for line in lines if line.count("\t") >= 7]
    rows = [dict(zip(header, row, strict=True)) for row in table]
    return sorted(
        {
            row["rule"]
            for row in rows
            if row["status"] != "ok"
            or (
                row["plan"] == "update pending"
                and not set(paths).isdisjoint(row["input-file(s)"].split(","))
            )
        }
    )


def stale_stages() -> list[str]:
    """Stages whose own dependencies or parameters changed."""
    return sorted(json.loads(answer(dvc.cli.main, ["status", "--json"])))


def main() -> None:
    answers = {}
    for name, texts in json.load(sys.stdin).items():
        before = [(Path(path), Path(path).read_bytes(), Path(path).stat()) for path in texts]
        for path, text in texts.items():
            Path(path).write_text(text)
        answers[name] = [stale_rules(texts), stale_stages()]
        for path, content, times in before:
            path.write_bytes(content)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
