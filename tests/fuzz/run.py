"""Fuzz one target: ``PYTHONPATH=src:tests python -m fuzz.run TARGET [RUNS [SEED]]``.

The input of a finding is written to the working folder (``crash-...``). Name it after what it does,
let the catalogue of hostile inputs (``fixtures/hostile``) make it, and mend the parser.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ferclean", "yaml", "pickletools", "PIL"]):
    from ferclean.errors import FercleanError
    from fuzz.targets import TARGETS

_SECONDS_FOR_ONE, _MEGABYTES = 20, 3000


def main(name: str, runs: int | None = None, seed: int = 1) -> None:
    """Search for `runs` inputs, the same ones each time, and end the process."""
    target = TARGETS[name]
    folder = Path(tempfile.mkdtemp())
    corpus, files = folder / "corpus", folder / "files"
    corpus.mkdir()
    files.mkdir()
    for number, data in enumerate(target.seeds()):
        assert len(data) <= target.longest, f"seed {number} of {name} has {len(data)} bytes"
        (corpus / str(number)).write_bytes(data)

    def one_input(data: bytes) -> None:
        try:
            target.run(data, files)
        except FercleanError as error:
            assert str(error).strip(), "an error that says nothing"

    options = {
        "runs": runs or target.runs,
        "seed": seed,
        "max_len": target.longest,
        "timeout": _SECONDS_FOR_ONE,
        "rss_limit_mb": _MEGABYTES,
    }
    flags = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([name, *flags, str(corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
