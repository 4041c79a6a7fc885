"""The partition file: what the networks say of every training row, and how sure of its label."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ferclean.errors import FercleanError
from ferclean.tables.atomic import atomic_path
from ferclean.tables.inputs import read_parquet_frame, read_parquet_schema, require_columns

_KEY = b"ferclean.partition"
_WHAT = "partition"
_MOST_NETWORKS = 64  # far more than any method has
# Evidence of recipes that keep what their networks said of a row over time, ``(N, K)``: steadier
# than their last word.
RUNNING_TARGET = "running_target"


@dataclass(frozen=True)
class Partition:
    """Evidence about N training rows from M networks over K classes.

    Attributes
    ----------
    score_name : str
        What `score` measures, for figures (``"cross-entropy, scaled to [0, 1]"``).
    score : numpy.ndarray
        ``(M, N)`` float32.
    clean_probability : numpy.ndarray
        ``(M, N)`` float32 in [0, 1]: each network's view that the observed label is right.
    probabilities : numpy.ndarray
        ``(M, N, K)`` float32 softmax.
    threshold : float
        The method's own cut-off: at or below this clean probability a label is called wrong.
    evidence : dict of str to numpy.ndarray
        Further columns of the recipe, ``(N,)``, or ``(N, K)`` with one a class.
    parameters : dict
        JSON-able description of the fitted mixtures, ``{"net_0": {...}}``.
    """

    score_name: str
    score: np.ndarray
    clean_probability: np.ndarray
    probabilities: np.ndarray
    threshold: float = 0.5
    evidence: dict[str, np.ndarray] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


def write_partition(
    partition: Partition, sample_id: np.ndarray, classes: tuple[str, ...], path: str | Path
) -> None:
    """Write a partition to Parquet, atomically; float32 values round-trip exactly.

    Parameters
    ----------
    partition : Partition
        Of N rows over K classes.
    sample_id : numpy.ndarray
        ``(N,)`` text, in the order of the partition's rows.
    classes : tuple of str
        K names, part of the columns' names.
    path : str or Path
        Its folder is created.

    Raises
    ------
    FercleanError
        If the file cannot be written.
    ValueError, TypeError
        If the arrays have other lengths, or the parameters cannot stand in JSON.
    """
    columns: dict[str, np.ndarray] = {"sample_id": sample_id}
    for net in range(len(partition.score)):
        columns[f"score_{net}"] = partition.score[net]
        columns[f"clean_probability_{net}"] = partition.clean_probability[net]
        for k, name in enumerate(classes):
            columns[f"p_{net}_{name}"] = partition.probabilities[net, :, k]
    for name, values in partition.evidence.items():
        columns.update(_evidence_columns(name, values, classes))
    header = {
        "score": partition.score_name,
        "networks": len(partition.score),
        "threshold": partition.threshold,
        "evidence": {name: values.ndim for name, values in partition.evidence.items()},
        "parameters": partition.parameters,
    }
    table = pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _KEY: json.dumps(header, sort_keys=True).encode()}
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def _evidence_columns(
    name: str, values: np.ndarray, classes: tuple[str, ...]
) -> dict[str, np.ndarray]:
    if values.ndim == 1:
        return {name: values}
    return {f"{name}_{label}": values[:, k] for k, label in enumerate(classes)}


def read_partition(
    path: str | Path, classes: tuple[str, ...], sample_id: np.ndarray | None = None
) -> Partition:
    """Read a partition and check that its rows are the expected ones.

    Parameters
    ----------
    path : str or Path
        A file written by :func:`write_partition`.
    classes : tuple of str
        K names, with which it was written.
    sample_id : numpy.ndarray, optional
        ``(N,)`` text: the expected rows in order; without them any rows are taken.

    Returns
    -------
    Partition
        Of N rows over K classes.

    Raises
    ------
    FercleanError
        If the file is missing, no partition or one without threshold, lacks a column or holds
        text in one of numbers, or if its rows differ from `sample_id`.
    """
    header = _read_header(path)
    frame = read_parquet_frame(path, _WHAT)
    networks = range(header["networks"])
    needed = ["sample_id"]
    for net in networks:
        needed += [f"score_{net}", f"clean_probability_{net}", *_of_classes(f"p_{net}", classes)]
    for name, axes in header["evidence"].items():
        needed += [name] if axes == 1 else _of_classes(name, classes)
    require_columns(Path(path), frame.columns, needed)
    _require_numbers(Path(path), frame[needed[1:]])
    if sample_id is not None and not np.array_equal(frame["sample_id"].to_numpy(), sample_id):
        raise FercleanError(f"{path} describes other rows than the label table")
    probabilities = [frame[_of_classes(f"p_{n}", classes)].to_numpy() for n in networks]
    return Partition(
        score_name=header["score"],
        score=np.stack([frame[f"score_{n}"].to_numpy() for n in networks]),
        clean_probability=np.stack([frame[f"clean_probability_{n}"].to_numpy() for n in networks]),
        probabilities=np.stack(probabilities),
        threshold=header["threshold"],
        evidence={
            name: frame[name if axes == 1 else _of_classes(name, classes)].to_numpy()
            for name, axes in header["evidence"].items()
        },
        parameters=header["parameters"],
    )


def read_threshold(path: str | Path) -> float:
    """Read only the method's own cut-off, see :attr:`Partition.threshold`.

    Raises
    ------
    FercleanError
        If the file is missing, no partition or one without threshold.
    """
    return float(_read_header(path)["threshold"])


def read_evidence(
    path: str | Path, names: Sequence[str], sample_id: np.ndarray
) -> dict[str, np.ndarray]:
    """Read only some ``(N,)`` evidence of a partition, in the order of `sample_id`.

    Parameters
    ----------
    path : str or Path
    names : sequence of str
        Evidence; what the partition does not hold is left out.
    sample_id : numpy.ndarray
        The expected rows.

    Raises
    ------
    FercleanError
        If the file is missing, no partition, or holds other rows.
    """
    held = _read_header(path).get("evidence", {})
    wanted = [name for name in names if held.get(name) == 1]
    if not wanted:
        return {}
    frame = read_parquet_frame(path, _WHAT, ["sample_id", *wanted])
    if not np.array_equal(frame["sample_id"].to_numpy(), sample_id):
        raise FercleanError(f"{path} describes other rows than the label table")
    return {name: frame[name].to_numpy() for name in wanted}


def _read_header(path: str | Path) -> dict[str, Any]:
    metadata = read_parquet_schema(path, _WHAT).metadata or {}
    if _KEY not in metadata:
        raise FercleanError(f"{path} is not a partition: its metadata names no score")
    header = _parse_header(metadata[_KEY], path)
    if "threshold" not in header:
        raise FercleanError(
            f"{path} names no threshold: an older version wrote it, partition again"
        )
    return header


def _parse_header(text: bytes, path: str | Path) -> dict[str, Any]:
    """Parse what a partition says of itself; parts that are there have their types."""
    try:
        header = json.loads(text)
        evidence = header["evidence"]
        if (
            not isinstance(header["score"], str)
            or type(header["networks"]) is not int
            or not 1 <= header["networks"] <= _MOST_NETWORKS
            or not isinstance(header["parameters"], dict)
            or not all(type(axes) is int for axes in evidence.values())
            or not isinstance(header.get("threshold", 0.0), int | float)
        ):
            raise ValueError
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise FercleanError(
            f"{path} is not a partition as this version writes it; partition again"
        ) from None
    return dict(header)


def _of_classes(name: str, classes: tuple[str, ...]) -> list[str]:
    return [f"{name}_{label}" for label in classes]


def _require_numbers(path: Path, frame: pd.DataFrame) -> None:
    for name, kind in frame.dtypes.items():
        if not pd.api.types.is_numeric_dtype(kind):
            raise FercleanError(f"{path}: column {name!r} holds something else than numbers")
