"""Where a killed training step finds what it had done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ferclean
from ferclean.config.wiring import code_digest

_FOLDER = Path(".ferclean") / "resume"


def resume_path(step: str, values: Iterable[Any], files: Iterable[Path], *, code_of: str) -> Path:
    """Name a resume file by everything that decides a step's result.

    Parameters
    ----------
    step : str
        Name of the step.
    values : iterable
        JSON-able settings.
    files : iterable of Path
        Input files whose content matters.
    code_of : str
        The step whose source files matter, see :func:`ferclean.config.wiring.code_digest`.

    Returns
    -------
    Path
        Below ``.ferclean/resume`` in the working folder. Any change gives another name.
    """
    code = code_digest(code_of, Path(ferclean.__file__).parent)
    digest = hashlib.sha256(json.dumps([step, code, *values], sort_keys=True).encode())
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return _FOLDER / f"{step}-{digest.hexdigest()[:24]}.pt"
