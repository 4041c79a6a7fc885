import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ferclean.evaluate.calibration import reliability_table
from ferclean.report.figures import (
    PALETTE,
    drawing,
    line_figure,
    reliability_figure,
    score_histogram,
    to_svg,
)

MIXTURE = {"weights": [0.3, 0.7], "means": [0.8, 0.2], "variances": [0.01, 0.02]}


def histogram(verdict, mixture=MIXTURE, name="h"):
    rng = np.random.default_rng(0)
    return score_histogram(
        rng.random(len(verdict)),
        np.asarray(verdict),
        mixture,
        score_name="loss",
        title="T",
        name=name,
    )


def test_svg_is_well_formed_self_contained_and_inherits_its_ink():
    text = histogram([0, 1] * 20)
    ElementTree.fromstring(text)
    assert "http" not in text
    assert "xlink" not in text
    assert "currentColor" in text
    assert "#010203" not in text
    assert 'width="' not in re.match(r"<svg[^>]*>", text).group()
    assert "<metadata" not in text


def test_the_same_figure_gives_the_same_text_and_ids_bear_its_name():
    first, second, other = histogram([0] * 9), histogram([0] * 9), histogram([0] * 9, name="o")
    assert first == second
    names = re.findall(r' id="([^"]+)"', first)
    assert names
    assert all(name.startswith("h-") for name in names)
    assert not set(names) & set(re.findall(r' id="([^"]+)"', other))
    for target in re.findall(r'(?:href="#|url\(#)([^")]+)', first):
        assert target in names


@pytest.mark.parametrize(
    ("verdict", "shown", "hidden"),
    [([0] * 5 + [1] * 5, ["label right", "label wrong"], ["truth unknown"]),
     ([-1] * 8, ["truth unknown"], ["label wrong", "label right"])],
)  # fmt: skip
def test_the_legend_tells_what_is_known(verdict, shown, hidden):
    text = histogram(verdict)
    assert all(word in text for word in [*shown, "fitted: clean", "fitted: noisy"])
    assert not any(word in text for word in hidden)


@pytest.mark.parametrize("mixture", [None, {}, {"alphas": [1.0]}])
def test_without_a_gaussian_mixture_only_the_scores_are_drawn(mixture):
    assert "fitted" not in histogram([0] * 5, mixture)


def test_constant_scores_and_no_rows_are_drawn():
    text = score_histogram(np.zeros(4), np.zeros(4, int), None, score_name="s", title="T", name="n")
    ElementTree.fromstring(text)
    ElementTree.fromstring(histogram([], None))


def test_lines_carry_labels_axes_and_tick_names():
    text = line_figure(
        {"smr": ([0, 1], [50.0, float("nan")]), "ce": ([0, 1], [40.0, 45.0])}, x_label="epoch",
        y_label="accuracy (%)", title="T", name="n", breaks=[0.5], order=["ce", "smr"],
        tick_names=["first", "second"],
        errors={"smr": [1.0, 0.0], "ce": [0.5, 0.5]},
    )  # fmt: skip
    ElementTree.fromstring(text)
    assert all(word in text for word in ("smr", "ce", "epoch", "accuracy (%)", "first", "second"))


def test_a_name_has_the_same_colour_in_every_figure():
    order, line = ["ce", "smr"], ([0, 1], [1.0, 2.0])
    texts = {"x_label": "x", "y_label": "y", "title": "T", "name": "n", "order": order}
    both = line_figure({"ce": line, "smr": line}, **texts)
    alone = line_figure({"smr": line}, **texts)
    assert PALETTE[0].lower() in both and PALETTE[1].lower() in both
    assert PALETTE[0].lower() not in alone and PALETTE[1].lower() in alone


def test_reliability_is_drawn():
    table = reliability_table([[0.9, 0.1], [0.2, 0.8]], [0, 0], bins=5)
    text = reliability_figure(table, title="R", name="n")
    ElementTree.fromstring(text)
    assert "confidence" in text


def test_words_from_outside_are_escaped():
    with drawing() as (figure, axes):
        axes.set_title("<script>")
        text = to_svg(figure, "n", 'a "<b>" & c')
    ElementTree.fromstring(text)
    assert "<script>" not in text
