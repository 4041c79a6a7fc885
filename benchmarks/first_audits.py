"""What the method ``ferclean`` measures after its warm-up, by which the rest of its run is decided.

    python benchmarks/first_audits.py --data ../shared/data

The constants of ``ferclean.methods.ferclean`` were read from such numbers. They are taken on
training rows; of the truth only the share of wrong labels is looked up, to stand beside them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from environment import describe_environment
from ferclean.config.runs import parse_setting, runs_of
from ferclean.methods.ferclean import Ferclean
from ferclean.methods.registry import build_recipe
from ferclean.methods.remedies import human_share, noise_urgency
from ferclean.steps.partition import partition
from ferclean.steps.pretrain import pretrain
from ferclean.steps.training_inputs import RunFiles
from ferclean.tables.atomic import write_json
from ferclean.tables.labels import read_label_table
from ferclean.tables.partitions import read_partition
from protocol_steps import inject, prepare, scratch_folder
from run_protocol import Protocol

_RECORD = Path(__file__).parent / "results" / "first_audits.json"
_PROTOCOLS = ("p1", "p1_r20", "p1_r00", "p1_real", "p6")


def main() -> None:
    """Warm up, audit and write down, protocol by protocol."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder that data.path is relative to")
    parser.add_argument("--work", type=Path, default=Path("results/first_audits"))
    parser.add_argument("--device", default="cpu", choices=["auto", "cpu", "cuda"])
    chosen = parser.parse_args()
    found: dict[str, Any] = {}
    for name in _PROTOCOLS:
        protocol = Protocol.read(name, chosen.data)
        prepare(chosen.work / name, protocol.settings())
        for setting in dict.fromkeys(setting for setting, _ in runs_of(protocol.settings())):
            found[f"{name}/{setting}"] = _audit(chosen, protocol, setting)
            print(f"{name}/{setting}: {found[f'{name}/{setting}']}", flush=True)
    record = {
        "command": "python benchmarks/first_audits.py",
        "environment": describe_environment(chosen.device),
        "audits": found,
    }
    write_json(_RECORD, record)


def _audit(chosen: argparse.Namespace, protocol: Protocol, setting: str) -> dict[str, Any]:
    """Return the measures of one setting's first audit and what they lead to."""
    settings = protocol.settings()
    work = scratch_folder(chosen.work / protocol.name, protocol.shared())
    inject(work, setting, settings)
    labels, output = work / "noise" / setting / "labels.parquet", work / setting
    faces, seed = work / "prepare" / "align" / "faces.pack", parse_setting(setting).seed
    files = RunFiles(faces, labels, "ferclean", seed, chosen.device, settings)
    pretrain(files, output=output)
    partition(files, checkpoint=output / "checkpoint.pt", output=output)
    table = read_label_table(labels)
    table = table.take(table.in_split("train"))
    ids = table.frame["sample_id"].to_numpy()
    audit = read_partition(output / "partition.parquet", table.classes, ids).parameters["audit"]
    measures = np.array(audit["measures"])
    recipe = build_recipe("ferclean", settings.methods)
    assert isinstance(recipe, Ferclean)
    return {
        "wrong_labels": float((table.codes("observed") != table.codes("true")).mean()),
        "noise_rate": audit["noise_rate"],
        "steepness": audit["steepness"],
        "human_share": human_share(audit["steepness"]),
        "noise_urgency": noise_urgency(audit["noise_rate"]),
        "expected_right": float(measures[2]),
        "repairs": recipe.repairs(measures),
    }


if __name__ == "__main__":
    main()
