"""Inputs from which the fuzzing starts: small good files, and hostile ones of the catalogue."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ferclean.tables.partitions import Partition, write_partition
from fixtures.hostile.arrays import npy, parquet
from fixtures.hostile.packs import arrow, write_samples
from fixtures.hostile.pickled import zipped
from fixtures.hostile.published import npy_header
from fixtures.hostile.settings import doubling
from fixtures.packs import write_faces
from fixtures.picture_files import encode, fer2013_csv_text, smooth_pixels
from fixtures.python2_pickles import python2_pickle


def _written(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


def pictures() -> list[bytes]:
    """Every format, some modes, an animation, EXIF."""
    pixels = smooth_pixels(1, 8, channels=3)
    exif = Image.Exif()
    exif[0x0112] = 6
    found = [encode(pixels, form) for form in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")]
    found += [encode(pixels, form, exif=exif) for form in ("PNG", "JPEG", "TIFF")]
    stream = io.BytesIO()
    Image.fromarray(pixels).convert("LA").save(stream, "PNG")
    return [*found, stream.getvalue(), encode(pixels[..., 0].astype(np.uint16) * 257)]


def tables() -> list[bytes]:
    """Dialects of CSV."""
    odd = 'path,label\n"a\nb",happy\n../x,sad\n/dev/zero,hapy\n'
    good = "path,label,split,sample_id,true\na.png,happy,train,x,sad\nb.png,sad,test,y,\n"
    return [
        text.encode()
        for text in (
            good,
            "\ufeff" + good.replace("\n", "\r\n"),
            good.replace(",", '","'),
            odd,
            "label,path,path\n1,2,3",
        )
    ]


def fer2013() -> list[bytes]:
    """Whole and broken rows."""
    text = fer2013_csv_text([(3, 1, "Training"), ("x", "1 2 3", "PrivateTest"), (-1, "", "")])
    return [text.encode(), b"emotion,pixels,Usage\n3,1 2 300,Training\n4.0,-1,PublicTest\n"]


def published_lists() -> list[bytes]:
    """A list of each kind, its number in front."""
    rows = [{"file_name": "a.png", "label": 1}, {"file_name": "../b", "label": "sad"}]
    return [
        b"\0train_1.jpg 4\ntest_1.jpg 9\n../x 3.0\n",
        b"\1a.jpg 0 1 1 40 40 20.5 3\nb c.jpg 1 -1 nan 4 4 0 9\n",
        b"\2" + "\n".join(map(json.dumps, rows)).encode(),
        b"\3file_name,label\na.png,happy\nb.png,7\n",
    ]


def settings_files() -> list[bytes]:
    """Settings, right and wrong, with anchors and merges."""
    return [
        text.encode()
        for text in (
            "data: {source: table, path: x.csv, classes: [a, b]}\ngrid: {seeds: [0, 1]}\n",
            "data: &d {seed: 1}\nnoise: {<<: *d}\nreport: {title: 2020-01-01}\n",
            "training: {optimizer: {learning_rate: 1e-3}}\nmethods: {smr: {}}\n",
            "data: {seed: 0xff, validation_fraction: .nan, path: !!binary aGk=}\n",
            doubling(4),
        )
    ]


def pickles() -> list[bytes]:
    """Tables of both Pythons, and one that ``torch.save`` could have written."""
    table = {b"data": np.arange(6, dtype=np.uint8).reshape(2, 3), b"labels": [1, 2]}
    plain = {"labels": [1, 2], "data": np.arange(3), "text": "x"}
    zip_file = zipped(x__data_pkl=pickle.dumps(plain, 2)).replace(b"data_pkl", b"data.pkl")
    found = [pickle.dumps(plain, protocol) for protocol in (0, 2, 4, 5)]
    return [python2_pickle(table), *found, zip_file]


def label_arrays() -> list[bytes]:
    """Arrays in each kind of file, its number in front."""
    numbers = np.arange(3)
    records = np.zeros(3, [("clean_label", "i8"), ("worse_label", "i8")])
    bundle = zipped(**{"clean_label.npy": npy(numbers)})
    return [
        b"\0" + bundle, b"\1" + npy(records), b"\1" + npy_header("(10000000000000,)"),
        *(b"\2" + data for data in pickles()),
    ]  # fmt: skip


def words() -> list[bytes]:
    """word2vec as text, binary and compressed, and a pickle."""
    text = b"3 2\nhappy 0.1 0.2\nsad 0.3 0.4\nangry 1 2\n"
    numbers = np.ones(2, "<f4").tobytes()
    binary = b"2 2\nhappy " + numbers + b"\nsad " + numbers
    keyed = pickle.dumps({"index_to_key": ["happy", "sad"], "vectors": np.ones((2, 2))}, 4)
    return [text, binary, gzip.compress(text, mtime=0), keyed]


def audit_inputs() -> list[bytes]:
    """Labels and probabilities in each kind of file, its number in front."""
    columns = {"sample_id": ["a", "b"], "p_sad": [0.1, 0.9], "p_happy": [0.9, 0.1]}
    return [
        b"\0label\nsad\nhappy\n", b"\0sample_id,p_sad,p_happy\na,0.1,0.9\nb,nan,1\n",
        b"\1sample_id\tlabel\na\tsad\n", b"\2" + npy(np.eye(3)), b"\2" + npy(np.array(["a", "b"])),
        b"\3" + parquet(**columns), b"\3" + parquet(label=[0.0, 1.0]),
    ]  # fmt: skip


def faces() -> list[bytes]:
    """Packs raw and of pictures, and Arrow files that are nearly packs."""
    few = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    found = [
        _written(lambda path, kind=kind: write_faces(path, few, kind))
        for kind in ("raw", "png", "jpeg")
    ]
    return [*found, _written(arrow([4, 4, 3], b"x", None)), npy_header("(9, 8, 8, 1)", "'|u1'")]


def step_tables() -> list[bytes]:
    """A label table and a partition."""
    row = np.zeros((1, 2), np.float32)
    part = Partition("loss", row, row, np.zeros((1, 2, 2), np.float32), evidence={"e": row[0]})
    names = np.array(["a", "b"], dtype=object)
    return [
        _written(write_samples),
        _written(lambda path: write_partition(part, names, ("happy", "sad"), path)),
    ]
