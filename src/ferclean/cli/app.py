"""The ``ferclean`` command. Each sub-command imports its step only when it is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ferclean import __version__
from ferclean.cli import audit, doctor, params, predict, prepare, results, review, training
from ferclean.cli.processes import EXIT_LOST, lost_another, say_of_several
from ferclean.errors import FercleanError, in_one_line

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    help="Repair noisy facial-expression labels and train classifiers that resist them.",
    epilog="The whole workflow: snakemake --cores all --resources gpu=1",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (prepare, training, results, audit, review, predict, doctor, params):
    module.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _refuse_other_code(step: str | None) -> None:
    """Refuse to make files by other code than Snakemake noted down when it planned the job.

    It would hold them for up to date as soon as the planned code is back.
    """
    planned = os.environ.get("FERCLEAN_CODE")
    if planned is None or step is None:
        return
    from ferclean.config.wiring import STEP_SOURCES, code_digest

    if step in STEP_SOURCES and code_digest(step, Path(__file__).parents[1]) != planned:
        raise FercleanError(
            f"the source of {step} was edited after Snakemake had planned this job; "
            "start snakemake again"
        )


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    _refuse_other_code(context.invoked_subcommand)


def main() -> None:
    """Run the command line.

    A mistake of the user ends with one line on standard error and exit code 2, an interrupt with
    130; anything else is a bug and keeps its traceback.
    """
    try:
        app(prog_name="ferclean")
    except FercleanError as error:
        sentence = in_one_line(str(error))
        if not say_of_several(sentence):
            print(f"error: {sentence}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except RuntimeError as error:
        if not lost_another(error):
            raise
        sys.exit(EXIT_LOST)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
