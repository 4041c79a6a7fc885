"""Start the processes of one training job."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer

from ferclean.errors import FercleanError

# How long another process than the first waits before it goes: a mistake that all meet is said by
# the first, whose end ends the others.
_PATIENCE_SECONDS = 10
# Exit code of a process that lost another one; the other knows why.
EXIT_LOST = 3
_LOST = ("Connection closed by peer", "Connection reset by peer")


def run_by_several(processes: int) -> bool:
    """Run this very command in several processes, unless it is one of them already.

    Parameters
    ----------
    processes : int
        ``training.processes``.

    Returns
    -------
    bool
        Whether the work is done; ``False`` where this process has to do it.

    Raises
    ------
    typer.Exit
        With the exit code of the first process, which has said why it failed.
    FercleanError
        What another process alone met, or that it died.
    KeyboardInterrupt
        If this process is told to stop; it stops the others.
    """
    if processes == 1 or "WORLD_SIZE" in os.environ:  # torchrun sets it
        return False
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    with TemporaryDirectory(prefix="ferclean-") as folder:
        try:
            _launch(processes, folder)
        except ChildFailedError as error:
            told = [_mistake_of(failure) for failure in error.failures.values()]
            for sentence in filter(None, told):
                raise FercleanError(sentence) from None
            codes = {rank: failure.exitcode for rank, failure in error.failures.items()}
            own = codes.get(0, EXIT_LOST)
            if own > 0 and own != EXIT_LOST:  # below 0 a signal ended it
                raise typer.Exit(own) from None
            rank = max(codes)
            raise FercleanError(
                f"process {rank} of {processes} failed with exit code {codes[rank]}; to see "
                f"what it says, start torchrun --nproc-per-node {processes} -m ferclean with the "
                "same words"
            ) from None
        except SignalException:
            raise KeyboardInterrupt from None
    return True


def _launch(processes: int, folder: str) -> None:
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        run_id=f"ferclean-{os.getpid()}",
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        # All would say the same.
        logs_specs=DefaultLogsSpecs(log_dir=folder, local_ranks_filter={0}),
    )
    elastic_launch(config, sys.executable)("-m", "ferclean", *sys.argv[1:])


def say_of_several(sentence: str) -> bool:
    """Tell the process that started this one of a mistake, where it is not the first of several.

    Parameters
    ----------
    sentence : str
        The mistake.

    Returns
    -------
    bool
        Whether it was told; ``False`` where this process has to say it itself.
    """
    if int(os.environ.get("RANK", "0")) == 0:
        return False
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if path is None:  # started by torchrun on a node of its own
        return False
    time.sleep(_PATIENCE_SECONDS)
    message = {"message": {"message": sentence, "extraInfo": {"timestamp": str(int(time.time()))}}}
    Path(path).write_text(json.dumps(message))
    return True


def lost_another(error: Exception) -> bool:
    """Tell whether an error only says that another process has ended."""
    return "WORLD_SIZE" in os.environ and any(words in str(error) for words in _LOST)


def _mistake_of(failure: Any) -> str | None:
    """Return the sentence of a process that :func:`say_of_several` left, if any."""
    try:
        content = json.loads(Path(failure.error_file).read_text())
        return str(content["message"]["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
