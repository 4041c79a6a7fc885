from __future__ import annotations

import typing

import numpy as np
import pandas as pd
import pytest

from ferclean.config.data import CANONICAL_CLASSES, DataSettings, RenderedSettings
from ferclean.config.load import build_settings
from ferclean.datasets.pictures import decode_picture
from ferclean.datasets.registry import READERS, read_source
from ferclean.errors import FercleanError


def test_the_settings_name_exactly_the_readers():
    annotation = typing.get_type_hints(DataSettings)["source"]
    assert set(typing.get_args(annotation)) == set(READERS)


def test_an_unknown_reader_lists_the_known_ones():
    with pytest.raises(FercleanError, match=r"did you mean 'image_folder'.*known: rendered"):
        read_source(DataSettings(source="image_folders", path="x"))


def test_rendered_faces_come_through_the_same_interface():
    settings = DataSettings(rendered=RenderedSettings(pictures=40, image_size=64))
    source = read_source(settings)
    assert isinstance(source.frame.index, pd.RangeIndex) and len(source.frame) == 40
    assert source.frame["reason"].isna().all()
    assert set(source.frame["given"]) <= set(CANONICAL_CLASSES)
    row, data = next(source.pictures)
    assert row == 0 and decode_picture(data, max_pixels=64 * 64).shape == (64, 64, 3)
    shares = source.frame[[f"true_p_{name}" for name in CANONICAL_CLASSES]].sum(axis=1)
    np.testing.assert_allclose(shares, 1, atol=1e-9)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"source": "table"}, "data.path is needed"),
        ({"source": "folder", "path": "x"}, "unknown value for data.source 'folder'"),
        ({"source": "table", "path": "x", "labels": "ferplus_winner"}, "needs votes"),
        ({"source": "fer2013_csv", "path": "x", "labels": "ferplus_winner"}, "needs votes"),
        ({"source": "table", "path": "x", "votes_path": "y"}, "votes_path is only read by"),
        ({"classes": ["sad", "Sad"]}, "at least two different names"),
        ({"classes": ["sad"]}, "at least two different names"),
        ({"classes": ["sad", " fear"]}, "plain names"),
        ({"classes": ["sad", ""]}, "plain names"),
        ({"classes": ["sad", "a\nb"]}, "plain names"),
    ],
)
def test_settings_that_do_not_fit_together_are_errors(data, message):
    with pytest.raises(FercleanError, match=message):
        build_settings({"data": data}, ["data"])
