"""The partition file."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.errors import FercleanError
from ferclean.tables.partitions import (
    Partition,
    read_evidence,
    read_partition,
    read_threshold,
    write_partition,
)

CLASSES = ("happy", "sad", "angry")


def example(networks: int = 2, rows: int = 5, seed: int = 0) -> tuple[Partition, np.ndarray]:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(len(CLASSES)), (networks, rows))
    partition = Partition(
        score_name="cross-entropy",
        score=random.random((networks, rows)).astype(np.float32),
        clean_probability=random.random((networks, rows)).astype(np.float32),
        probabilities=probabilities.astype(np.float32),
        evidence={"distance": random.random(rows), "amended": random.random((rows, 3))},
        parameters={"net_0": {"means": [0.1, 0.9], "weights": [0.5, 0.5]}},
    )
    return partition, np.array([f"s{i}" for i in range(rows)], dtype=object)


@pytest.mark.slow
@given(st.integers(1, 3), st.integers(0, 6), st.integers(0, 99))
def test_a_partition_comes_back_to_the_last_bit(tmp_path_factory, networks, rows, seed):
    path = tmp_path_factory.mktemp("partition") / "x.parquet"
    written, ids = example(networks, rows, seed)
    write_partition(written, ids, CLASSES, path)
    read = read_partition(path, CLASSES, ids)
    for name in ("score", "clean_probability", "probabilities"):
        found = getattr(read, name)
        np.testing.assert_array_equal(found, getattr(written, name))
        assert found.dtype == np.float32
        assert found.shape == getattr(written, name).shape
    assert read.score_name == written.score_name
    assert read.parameters == written.parameters
    assert set(read.evidence) == {"distance", "amended"}
    for name, values in written.evidence.items():
        np.testing.assert_array_equal(read.evidence[name], values)


def test_the_methods_own_threshold_comes_back(tmp_path):
    partition, ids = example()
    own = dataclasses.replace(partition, threshold=0.3)
    write_partition(own, ids, CLASSES, tmp_path / "x.parquet")
    assert read_partition(tmp_path / "x.parquet", CLASSES, ids).threshold == 0.3
    assert read_threshold(tmp_path / "x.parquet") == 0.3


def test_the_same_partition_gives_the_same_bytes(tmp_path):
    partition, ids = example()
    for name in ("a", "b"):
        write_partition(partition, ids, CLASSES, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_some_evidence_may_be_read(tmp_path):
    written, ids = example()
    write_partition(written, ids, CLASSES, tmp_path / "partition.parquet")
    names = ("distance", "amended", "aleatoric")  # one is no column, one is not held
    found = read_evidence(tmp_path / "partition.parquet", names, ids)
    assert set(found) == {"distance"}
    np.testing.assert_array_equal(found["distance"], written.evidence["distance"])
    with pytest.raises(FercleanError, match="other rows"):
        read_evidence(tmp_path / "partition.parquet", names, ids[::-1])
    assert read_evidence(tmp_path / "partition.parquet", ("aleatoric",), ids) == {}


def test_other_rows_or_classes_are_named(tmp_path):
    path = tmp_path / "x.parquet"
    partition, ids = example()
    write_partition(partition, ids, CLASSES, path)
    with pytest.raises(FercleanError, match="describes other rows than the label table"):
        read_partition(path, CLASSES, ids[::-1])
    with pytest.raises(FercleanError, match=r"x\.parquet: column 'p_0_fear' is missing"):
        read_partition(path, (*CLASSES, "fear"), ids)


def test_a_column_of_texts_is_named(tmp_path):
    partition, ids = example()
    texts = dataclasses.replace(partition, score=partition.score.astype(str))
    write_partition(texts, ids, CLASSES, tmp_path / "x.parquet")
    message = r"x\.parquet: column 'score_0' holds something else than numbers"
    with pytest.raises(FercleanError, match=message):
        read_partition(tmp_path / "x.parquet", CLASSES, ids)


def test_what_is_no_partition_is_named(tmp_path):
    path = tmp_path / "x.parquet"
    with pytest.raises(FercleanError, match="partition not found"):
        read_partition(path, CLASSES)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(FercleanError, match="is not a readable Parquet file"):
        read_partition(path, CLASSES)
    pq.write_table(pa.table({"sample_id": ["a"]}), path)
    with pytest.raises(FercleanError, match="is not a partition: its metadata names no score"):
        read_partition(path, CLASSES)
