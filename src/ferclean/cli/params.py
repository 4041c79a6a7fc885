"""``ferclean params``: check params.yaml, write a ready-made one, write the reference."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from ferclean.cli.options import PEOPLE_PANEL
from ferclean.config.load import load_settings
from ferclean.config.presets import load_preset, preset_names, preset_note
from ferclean.config.reference import params_text, reference_text
from ferclean.config.runs import runs_of
from ferclean.errors import FercleanError
from ferclean.tables.atomic import atomic_path, write_text

_HEADING = """{note}

Every key is explained in docs/params.md. Check an edit with: ferclean params --check params.yaml"""


def params(
    *,
    check: Annotated[Path | None, typer.Option(help="Check this file.", show_default=False)] = None,
    preset: Annotated[
        str | None, typer.Option(help="Write all settings of this preset.", show_default=False)
    ] = None,
    list_presets: Annotated[bool, typer.Option("--list", help="List the presets.")] = False,
    reference: Annotated[bool, typer.Option("--reference", help="Write docs/params.md.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="File for --preset and --reference; else printed.", show_default=False),
    ] = None,
) -> None:
    """Check params.yaml or write a ready-made one."""
    if sum((check is not None, preset is not None, list_presets, reference)) != 1:
        raise FercleanError("give exactly one of --check, --preset, --list and --reference")
    if out is not None and (check is not None or list_presets):
        raise FercleanError("--out goes with --preset and --reference only")
    if check is not None:
        _check(check)
    elif list_presets:
        _list_presets()
    elif preset is not None:
        text = preset_text(preset)
        if out is not None:
            _keep_edits(out, text)
        _emit(text, out)
    else:
        _emit(reference_text({name: preset_note(name) for name in preset_names()}), out)


def preset_text(name: str) -> str:
    """Return a preset as a complete params.yaml.

    Parameters
    ----------
    name : str
        One of :func:`~ferclean.config.presets.preset_names`.

    Returns
    -------
    str
        YAML text with every key, its value and its help.

    Raises
    ------
    FercleanError
        If there is no such preset.
    """
    return params_text(load_preset(name), _HEADING.format(note=preset_note(name)))


def _check(path: Path) -> None:
    # A name like "{x}.yaml" must not be taken for inline JSON.
    runs = runs_of(load_settings(path.absolute()))
    typer.echo(f"{path}: valid, {len(runs)} {'run' if len(runs) == 1 else 'runs'}")
    for setting, method in runs:
        typer.echo(f"  {setting}/{method}")


def _list_presets() -> None:
    width = max(map(len, preset_names()))
    for name in preset_names():
        typer.echo(f"{name:<{width}}  {preset_note(name).splitlines()[0]}")


def _keep_edits(out: Path, text: str) -> None:
    # The file that a preset replaces is mostly the user's params.yaml, perhaps never committed.
    if not out.is_file() or out.read_bytes() == text.encode():
        return
    kept = out.with_name(f"{out.name}.old")
    with atomic_path(kept) as path:
        shutil.copyfile(out, path)
    typer.echo(f"{out}: what stood there is kept as {kept}", err=True)


def _emit(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        return
    write_text(out, text)
    typer.echo(f"wrote {out}", err=True)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(rich_help_panel=PEOPLE_PANEL)(params)
