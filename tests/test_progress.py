"""Progress lines."""

from __future__ import annotations

import io
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean import progress
from ferclean.progress import bar, epoch_line, say, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.lists(st.integers(), max_size=60))
def test_items_pass_unchanged(items):
    assert list(track(items, "x", len(items))) == items
    assert list(bar(items, "x", len(items))) == items


@pytest.mark.parametrize(("total", "lines"), [(0, 0), (1, 1), (7, 7), (10, 10), (100, 10)])
def test_a_log_gets_about_ten_lines_whatever_the_number(total, lines, capsys):
    list(track(range(total), "reading", total))
    written = capsys.readouterr()
    assert written.out == ""
    assert len(written.err.splitlines()) == lines
    assert "\r" not in written.err
    assert "\x1b" not in written.err
    if total:
        last = written.err.splitlines()[-1]
        assert re.fullmatch(rf"reading: {total}/{total}, \d+ s, 0 s left", last)


@given(total=st.integers(1, 2000))
def test_never_more_than_ten_lines(total):
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "say", said.append)
        list(track(range(total), "x", total))
    assert 1 <= len(said) <= 10
    assert said[-1].startswith(f"x: {total}/{total},")


def test_the_time_left_is_in_proportion(monkeypatch):
    times = iter([0.0, 30.0, 60.0])
    said: list[str] = []
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(progress, "say", said.append)
    items = track(range(20), "x", 20)
    for _ in range(3):  # the line of an item comes when the next is asked for
        next(items)
    assert said == ["x: 2/20, 30 s, 270 s left"]


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert list(track(range(5), "drawing", 5)) == list(range(5))
    assert "drawing" in terminal.getvalue()
    assert "s left" not in terminal.getvalue()


def test_a_log_gets_no_bar(capsys):
    list(bar(range(5), "x", 5))
    assert capsys.readouterr().err == ""


def test_say_goes_to_standard_error_at_once(capsys):
    say("Größe")
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "Größe\n")


def test_an_epoch_is_one_line_with_the_time_left():
    timing = [
        {"seconds": 2.0, "images_per_second": 500.0},
        {"seconds": 4.0, "images_per_second": 12345.6},
    ]
    row = {"epoch": 6, "kind": "mixmatch", "loss": 1.23456}
    line = epoch_line(row, timing, total=20, until=10)
    # Three more epochs of 3 seconds each in this step.
    assert line == "epoch 7/20 mixmatch: loss 1.2346, 12,346 images/s, 9 s left in this step"
