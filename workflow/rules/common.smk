# What all rules share: the runs of the grid, the command line, and where an input stands.
import gc
import os
import sys
from functools import cache
from pathlib import Path
from shutil import which

from snakemake.exceptions import WorkflowError

# The code of this checkout, not of an installed copy: DVC runs experiments in copies.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from ferclean.config.input_files import (
    data_inputs,
    files_below,
    word_inputs,
    workflow_files,
)
from ferclean.config.load import build_settings
from ferclean.config.runs import parse_setting, runs_of, settings_of
from ferclean.config.side_inputs import (
    settings_needing,
    side_input_options,
    side_inputs,
)
from ferclean.config.wiring import code_digest, step_params
from ferclean.errors import FercleanError

try:
    SETTINGS = build_settings(config, source="params.yaml")
except FercleanError as error:
    raise WorkflowError(str(error)) from None


def files_of(listed):
    try:
        return workflow_files(listed)
    except FercleanError as error:
        raise WorkflowError(str(error)) from None


# Planning makes millions of small objects that all stay: a quarter of its time would go into looking
# for garbage among them.
gc.set_threshold(500_000, 50, 100)

NOISES = settings_of(SETTINGS)
RUNS = runs_of(SETTINGS)
EMBEDDED = settings_needing("semantic_similarity", RUNS)
ROUNDS = range(SETTINGS.training.rounds + 1)
RUN_FOLDERS = [f"{setting}/{method}" for setting, method in RUNS]

# Jobs use this checkout's code and the interpreter that runs Snakemake.
shell.prefix(f"export PYTHONPATH=src PATH='{Path(sys.executable).parent}':$PATH; ")

# Training asks for a GPU only where one is: a machine without runs as many jobs as it has cores.
# profiles/slurm asks for one on the nodes, and FERCLEAN_DEVICE=cpu or cuda decides by hand.
FOUND = int(which("nvidia-smi") is not None)
GPU = {"cpu": 0, "cuda": 1}.get(os.environ.get("FERCLEAN_DEVICE"), FOUND)
PROCESSES = SETTINGS.training.processes

FACES = "results/prepare/align/faces.pack"
RAW_DATA = files_of(data_inputs(SETTINGS.data))
REVIEW = files_of(files_below(SETTINGS.review.path))
WORD_FILES = files_of(word_inputs(SETTINGS.semantics))


wildcard_constraints:
    setting="[a-z_]+-[0-9.]+-seed[0-9]+",
    method="[a-z0-9_]+",
    round="[0-9]+",


# The control "oracle_clean" is trained on the rows whose observed label is right, the others on all.
training_labels = lambda wildcards: (
    f"results/noise/{wildcards.setting}/oracle_clean.parquet"
    if wildcards.method == "oracle_clean"
    else f"results/noise/{wildcards.setting}/labels.parquet"
)
# Round 0 is what the warm-up left.
checkpoint_of = lambda setting, method, round: (
    f"results/denoise/{setting}/{method}/round_{round}/checkpoint.pt"
    if round > 0
    else f"results/pretrain/{setting}/{method}/checkpoint.pt"
)
step_settings = cache(lambda step, method=None: step_params(config, step, method))
# Long lists are handed on as plain paths and by functions: Snakemake looks up each file of a named
# list by hashing the whole list, which takes minutes for a grid of 1,000 runs.
paths = lambda files: [str(file) for file in files]
side_files = lambda w: list(side_inputs(w.method, w.setting).values())
previous = lambda wildcards: (
    f"results/denoise/{wildcards.setting}/{wildcards.method}/round_{int(wildcards.round) - 1}"
)
