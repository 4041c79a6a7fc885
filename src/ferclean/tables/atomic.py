"""Files appear under their final name whole or not at all."""

from __future__ import annotations

import csv
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferclean.errors import FercleanError
from ferclean.tables.locks import lock, stands

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def atomic_path(final: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `final`; rename it into place if the block succeeds.

    Parameters
    ----------
    final : str or Path
        The file to write. Its folder is created.

    Yields
    ------
    Path
        Where to write. It lies in the same folder, so the rename is atomic; it keeps the
        suffix of `final` for writers that look at it.

    Raises
    ------
    FercleanError
        If the file cannot be written (read-only folder, full disk). The previous file under
        the final name is then untouched.
    """
    final = Path(final)
    with _blamed_on(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(final)
        handle, temporary = _locked_temporary(final)
    try:
        with _blamed_on(final, temporary):
            yield temporary
        with _blamed_on(final):
            _flush(temporary)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(final)
    finally:
        _discard(handle, temporary)


@contextmanager
def atomic_folder(final: str | Path, *, replace: str | None = None) -> Iterator[Path]:
    """Yield a temporary folder beside `final`; rename it into place if the block succeeds.

    Parameters
    ----------
    final : str or Path
        The folder to write. The folder around it is created.
    replace : str, optional
        Name of a file by which a folder is known that may be replaced: it and all its content
        then give way to the new one. Without it, `final` must not exist or be empty.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    FercleanError
        If `final` exists and may not be replaced, or cannot be written.
    """
    final = Path(final)
    if _stands(final) and (replace is None or not (final / replace).is_file()):
        way_out = "name another one" if replace is None else f"it holds no {replace}: name another"
        raise FercleanError(f"{final} exists already; {way_out}")
    with _blamed_on(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(
            tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}.", suffix=".tmp")
        )
    try:
        with _blamed_on(final, temporary):
            yield temporary
        with _blamed_on(final):
            temporary.chmod(0o777 & ~_umask())
            _put_in_place(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _blamed_on(final: Path, temporary: Path | None = None) -> Iterator[None]:
    """Say of trouble with files that `final` cannot be written.

    With `temporary`, trouble that names other files than `final`, `temporary` or what lies in them
    passes, to be named as such.
    """
    try:
        yield
    except OSError as error:
        # A link or a copy names what it comes from first.
        named = [Path(str(name)) for name in (error.filename, error.filename2) if name is not None]
        own = [place for place in (final, temporary) if place is not None]
        if temporary and named and not any(n.is_relative_to(p) for n in named for p in own):
            raise
        raise FercleanError(f"cannot write {final}: {error.strerror or error}") from error


def _stands(folder: Path) -> bool:
    """Tell whether there is anything at a path but an empty folder."""
    if folder.is_symlink() or not folder.is_dir():
        return folder.is_symlink() or folder.exists()
    return any(folder.iterdir())


def _put_in_place(temporary: Path, final: Path) -> None:
    """Rename a folder; one that stands there moves aside first and is then removed."""
    if not _stands(final):
        temporary.replace(final)  # over an empty folder, or none
        return
    aside = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}.", suffix=".old"))
    final.replace(aside / final.name)
    try:
        temporary.replace(final)
    except OSError:
        (aside / final.name).replace(final)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _remove_leftovers(final: Path) -> None:
    """Remove the temporaries of killed writers: those on which nobody holds the lock."""
    pattern = f".{glob.escape(final.stem)}.*.tmp{glob.escape(final.suffix)}"
    for path in final.parent.glob(pattern):
        with suppress(OSError), path.open("rb+") as stream:
            if lock(stream.fileno(), wait=False):
                path.unlink()


def _locked_temporary(final: Path) -> tuple[int, Path]:
    """Create a file that the clean-up by other writers of `final` leaves alone."""
    while True:
        handle, name = tempfile.mkstemp(
            dir=final.parent, prefix=f".{final.stem}.", suffix=f".tmp{final.suffix}"
        )
        temporary = Path(name)
        try:
            lock(handle, wait=False)
            if stands(temporary, handle):
                return handle, temporary
        except BlockingIOError:
            pass  # a clean-up that came before the lock holds it, to remove the file
        except BaseException:
            _discard(handle, temporary)
            raise
        _discard(handle, temporary)


def _discard(handle: int, temporary: Path) -> None:
    os.close(handle)
    temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def csv_text(frame: pd.DataFrame, *, float_format: str | None = None) -> str:
    """Return a frame without its index as CSV, one line a row.

    A carriage return in a value (file names may have one) ends a line for most readers, but
    Python's writer does not quote it; such a table has all its texts quoted.
    """
    text = ""
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC):
        text = frame.to_csv(
            index=False, float_format=float_format, lineterminator="\n", quoting=quoting
        )
        if "\r" not in text:
            break
    return text


def write_csv(path: str | Path, frame: pd.DataFrame, *, float_format: str | None = None) -> None:
    """Write :func:`csv_text` of a frame, atomically."""
    write_text(path, csv_text(frame, float_format=float_format))


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically, keys in the given order; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read JSON; a missing or broken file is an error that names it."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FercleanError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise FercleanError(f"{path} is not valid JSON: {error}") from None
