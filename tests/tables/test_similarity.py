import numpy as np
import pandas as pd
import pytest

from ferclean.errors import FercleanError
from ferclean.tables.similarity import read_similarity, write_similarity

CLASSES, IDS = ("happy", "sad"), np.array(["a", "b", "c"])


@pytest.fixture
def written(tmp_path):
    values = np.random.default_rng(0).uniform(-1, 1, (3, 2)).astype(np.float32)
    write_similarity(IDS, CLASSES, values, tmp_path / "similarity.parquet")
    return values, tmp_path / "similarity.parquet"


def test_values_come_back_bit_for_bit_and_the_same_table_gives_the_same_bytes(written, tmp_path):
    values, path = written
    np.testing.assert_array_equal(read_similarity(path, CLASSES, IDS), values)
    write_similarity(IDS, CLASSES, values, tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("ids", [IDS[:2], IDS[::-1], np.array(["a", "b", "d"])])
def test_other_rows_are_refused(written, ids):
    with pytest.raises(FercleanError, match=r"similarity\.parquet describes other rows"):
        read_similarity(written[1], CLASSES, ids)


@pytest.mark.parametrize("classes", [("sad", "happy"), ("happy",), ("happy", "sad", "fear")])
def test_other_classes_or_another_order_are_refused(written, classes):
    with pytest.raises(FercleanError, match="in this order"):
        read_similarity(written[1], classes, IDS)


@pytest.mark.parametrize("value", [np.nan, 1.5, "much"])
def test_what_is_no_cosine_is_refused(tmp_path, value):
    path = tmp_path / "similarity.parquet"
    frame = pd.DataFrame({"sample_id": IDS, "s_happy": [0.1, 0.2, 0.3], "s_sad": [value] * 3})
    frame.to_parquet(path)
    with pytest.raises(FercleanError, match="something else than cosines"):
        read_similarity(path, CLASSES, IDS)


def test_a_missing_or_damaged_file_is_named(tmp_path):
    with pytest.raises(FercleanError, match="not found"):
        read_similarity(tmp_path / "none.parquet", CLASSES, IDS)
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(FercleanError, match="not a readable Parquet"):
        read_similarity(tmp_path / "bad.parquet", CLASSES, IDS)
