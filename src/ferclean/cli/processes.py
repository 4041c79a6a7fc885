"""Start the processes of one training job."""

from __future__ import annotations

import logging
import os
import sys
import time

import typer

from ferclean.errors import FercleanError

# How long another process waits for the first one to meet the same mistake.
_PATIENCE_SECONDS = 30


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
        If another process failed.
    KeyboardInterrupt
        If this process is told to stop; it stops the others.
    """
    if processes == 1 or "WORLD_SIZE" in os.environ:  # torchrun sets it
        return False
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
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
        logs_specs=DefaultLogsSpecs(local_ranks_filter={0}),  # all would say the same
    )
    try:
        elastic_launch(config, sys.executable)("-m", "ferclean", *sys.argv[1:])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if rank == 0 and failure.exitcode > 0:
            raise typer.Exit(failure.exitcode) from None
        raise FercleanError(
            f"process {rank} of {processes} failed with exit code {failure.exitcode}; to see what "
            f"it says, start torchrun --nproc-per-node {processes} -m ferclean with the same words"
        ) from None
    except SignalException:
        raise KeyboardInterrupt from None
    return True


def let_the_first_speak() -> None:
    """Wait in another process than the first: a mistake they all meet is said once.

    The first one's end ends the others.
    """
    if int(os.environ.get("RANK", "0")) > 0:
        time.sleep(_PATIENCE_SECONDS)
