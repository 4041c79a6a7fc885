"""A real SLURM cluster of one node on this machine, private to a test."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from workflow.project import TOOLS

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "srun", "sinfo")
PARTITION = "test"
# Two device files that exist everywhere stand in for two GPUs; nothing is read from them.
GRES = "NodeName={host} Name=gpu File=/dev/zero\nNodeName={host} Name=gpu File=/dev/full\n"
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
GresTypes=gpu
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 Sockets=1 CoresPerSocket={cpus} RealMemory=64000 Gres=gpu:2
PartitionName={partition} Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Return the reason why no cluster can be started here, if there is one."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"SLURM is not installed: {', '.join(missing)} not found (slurm-wlm, munge)"
    return None if os.geteuid() == 0 else "a SLURM node can be started by root only"


@contextmanager
def slurm_cluster(folder: Path, *, cpus: int = 2) -> Iterator[dict[str, str]]:
    """Start a one-node cluster that keeps all its files in `folder`; stop it in the end.

    Yields the environment variables with which SLURM's commands reach it.
    """
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    configuration = _configure(folder, cpus)
    _wrap_srun(folder / "bin", configuration)
    environment = {
        "SLURM_CONF": str(configuration),
        "PATH": os.pathsep.join([str(folder / "bin"), TOOLS]),
    }
    daemons = (
        ["munged", "--foreground", "--force", *_munge_options(folder)],
        ["slurmctld", "-D", "-f", str(configuration)],
        ["slurmd", "-D", "-f", str(configuration)],
    )
    with ExitStack() as running:
        for command in daemons:
            running.enter_context(_daemon(command, folder, environment))
            if command[0] == "munged":
                _wait_until(lambda: (folder / "munge.socket").exists(), folder)
        _wait_until(lambda: _node_is_idle(environment), folder)
        yield environment


def _configure(folder: Path, cpus: int) -> Path:
    host = socket.gethostname().partition(".")[0]
    ports = {"controller_port": _free_port(), "node_port": _free_port()}
    text = CONFIGURATION.format(host=host, folder=folder, cpus=cpus, partition=PARTITION, **ports)
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text(GRES.format(host=host))
    return folder / "slurm.conf"


def _wrap_srun(folder: Path, configuration: Path) -> None:
    """Tell srun where this cluster is: inside a job Snakemake drops SLURM's own variables."""
    wrapper = folder / "srun"
    real = shutil.which("srun")
    wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {real} "$@"\n')
    wrapper.chmod(0o755)


def _munge_options(folder: Path) -> list[str]:
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(64))
    key.chmod(0o600)
    files = {"key": "key", "socket": "socket", "pid": "pid", "log": "log", "seed": "seed"}
    option = {"socket": "--socket"}
    return [
        f"{option.get(name, f'--{name}-file')}={folder}/munge.{ending}"
        for name, ending in files.items()
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _daemon(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with (folder / f"{command[0]}.out").open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _node_is_idle(environment: dict[str, str]) -> bool:
    command = ["sinfo", "--noheader", "--format=%t"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True
    )
    return done.stdout.strip() == "idle"


def _wait_until(condition: Callable[[], bool], folder: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            tails = [f"{f.name}: {f.read_text()[-1500:]}" for f in folder.glob("*.out")]
            raise RuntimeError("the SLURM cluster did not start\n" + "\n".join(tails))
        time.sleep(0.2)
