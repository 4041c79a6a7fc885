"""Figures as inline SVG that takes its ink from the page, so light and dark both read well.

matplotlib's object interface is used throughout: no global figure, no display, no style leaks.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from ferclean.report.mixtures import component_curves, is_drawable

# Okabe and Ito 2008, "Color Universal Design": told apart with every common colour blindness.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":")
# Seven, so that forty-two names differ in colour or marker.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Stands for the page's text colour while matplotlib draws; replaced by currentColor afterwards.
_INK = "#010203"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9.5,
    "font.family": "sans-serif",
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _INK,
    "grid.alpha": 0.15,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
_BINS = 40
# Wrong labels at the bottom of the stack, so that their shape is read off the axis.
_VERDICTS = (
    (1, "label wrong", PALETTE[1]),
    (0, "label right", PALETTE[5]),
    (-1, "truth unknown", "#999999"),
)


@contextmanager
def drawing(width: float = 4.6, height: float = 3.3) -> Iterator[tuple[Any, Any]]:
    """Give a transparent figure and its axes; the house style holds inside the block.

    Parameters
    ----------
    width, height : float
        Inches.

    Yields
    ------
    tuple
        :class:`matplotlib.figure.Figure` and its axes.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        axes = figure.add_subplot()
        figure.patch.set_alpha(0)
        axes.patch.set_alpha(0)
        yield figure, axes


def _legend_below(figure: Any, axes: Any) -> None:
    """Put the legend under the axes, where it hides no data."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)))


def to_svg(figure: Any, name: str, description: str) -> str:
    """Turn a figure into SVG text to be put inside a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    name : str
        Unique on the page: prefixes every id, so that figures do not disturb each other.
    description : str
        What a screen reader says.

    Returns
    -------
    str
        ``<svg ...>`` without XML header, name spaces, metadata or fixed size. The same figure
        gives the same text.
    """
    from matplotlib import rc_context

    stream = io.StringIO()
    with rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'\b(id|href|xlink:href)="(#?)', rf'\1="\2{name}-', text)
    text = text.replace("xlink:href=", "href=").replace("url(#", f"url(#{name}-")
    text = re.sub(r' width="[\d.]+pt"| height="[\d.]+pt"', "", text, count=2)
    label = f'<svg role="img" aria-label="{escape(description, quote=True)}"'
    return text.replace("<svg", label, 1).replace(_INK, "currentColor")


def score_histogram(
    score: np.ndarray,
    verdict: np.ndarray,
    mixture: Mapping[str, Sequence[float]] | None,
    *,
    score_name: str,
    title: str,
    name: str,
) -> str:
    """Draw scores with the mixture that was fitted to them.

    Parameters
    ----------
    score : numpy.ndarray
        ``(N,)`` finite.
    verdict : numpy.ndarray
        ``(N,)``: 0 where the observed label is right, 1 where it is wrong, -1 where nobody knows.
    mixture : mapping or None
        Parameters of a mixture over the same values, see :func:`component_curves`.
    score_name, title, name : str
        Axis label, heading and figure name.
    """
    score = np.asarray(score, dtype=np.float64)
    edges = np.histogram_bin_edges(score, bins=_BINS)
    with drawing() as (figure, axes):
        highest = _draw_stack(axes, score, verdict, edges)
        if mixture is not None and is_drawable(mixture):
            _draw_mixture(axes, mixture, edges, len(score))
        # A narrow component may tower over the data; the data set the scale.
        axes.set_ylim(0, max(1.0, highest * 1.1))
        axes.set(xlabel=score_name, ylabel="training rows", title=title)
        _legend_below(figure, axes)
        return to_svg(figure, name, f"{title}: histogram of {score_name}")


def _draw_stack(axes: Any, score: np.ndarray, verdict: np.ndarray, edges: np.ndarray) -> float:
    below = np.zeros(len(edges) - 1)
    for value, label, color in _VERDICTS:
        if (verdict == value).any():
            above = below + np.histogram(score[verdict == value], edges)[0]
            axes.stairs(
                above, edges, baseline=below, fill=True, color=color, alpha=0.8, label=label
            )
            below = above
    return float(below.max(initial=0.0))


def _draw_mixture(
    axes: Any, mixture: Mapping[str, Sequence[float]], edges: np.ndarray, rows: int
) -> None:
    place = np.linspace(edges[0], edges[-1], 300)
    for position, (label, density) in enumerate(component_curves(mixture, place)):
        axes.plot(
            place,
            rows * (edges[1] - edges[0]) * density,
            color=_INK,
            linestyle=DASHES[position % len(DASHES)],
            linewidth=1.3,
            label=label,
        )


def line_figure(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x_label: str,
    y_label: str,
    title: str,
    name: str,
    breaks: Sequence[float] = (),
    order: Sequence[str],
    tick_names: Sequence[str] | None = None,
    errors: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """Draw one line a name; colour, dash and marker differ.

    Parameters
    ----------
    lines : mapping
        Name to ``(x, y)``; missing values leave gaps.
    x_label, y_label, title, name : str
        Texts, and the figure's name.
    breaks : sequence of float
        Where thin upright lines stand (the borders of rounds).
    order : sequence of str
        All names of the page's figures: a name looks the same in each of them.
    tick_names : sequence of str, optional
        Names of the places 0, 1, ... on x, instead of numbers.
    errors : mapping, optional
        Name to half-lengths of error bars.
    """
    from matplotlib.ticker import MaxNLocator

    with drawing(5.4, 3.5) as (figure, axes):
        for label, (x, y) in lines.items():
            number = order.index(label)
            axes.errorbar(
                x, y, yerr=None if errors is None else errors.get(label), label=label, capsize=3,
                color=PALETTE[number % len(PALETTE)], linestyle=DASHES[number % len(DASHES)],
                marker=MARKERS[number % len(MARKERS)], markersize=4,
                markevery=max(1, len(x) // 15), linewidth=1.6,
            )  # fmt: skip
        for place in breaks:
            axes.axvline(place, color=_INK, alpha=0.3, linewidth=0.8, linestyle=":")
        if tick_names is not None:
            axes.set_xticks(range(len(tick_names)), tick_names)
        elif all(float(value).is_integer() for x, _ in lines.values() for value in x):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel=x_label, ylabel=y_label, title=title)
        _legend_below(figure, axes)
        return to_svg(figure, name, title)


def point_figure(
    points: Mapping[str, tuple[float, float, float, float]],
    *,
    x_label: str,
    y_label: str,
    title: str,
    name: str,
    order: Sequence[str],
) -> str:
    """Draw one point a name, with its spread both ways; colour and marker are those of its line.

    Parameters
    ----------
    points : mapping
        Name to ``(x, y, half-length of the bar along x, along y)``. x starts at 0.
    x_label, y_label, title, name, order
        As for :func:`line_figure`.
    """
    with drawing(5.4, 3.5) as (figure, axes):
        for label, (x, y, x_spread, y_spread) in points.items():
            number = order.index(label)
            axes.errorbar(
                [x], [y], xerr=[x_spread], yerr=[y_spread], label=label, capsize=3,
                color=PALETTE[number % len(PALETTE)], linestyle="none",
                marker=MARKERS[number % len(MARKERS)], markersize=7,
            )  # fmt: skip
        axes.set_xlim(left=0)
        axes.set(xlabel=x_label, ylabel=y_label, title=title)
        _legend_below(figure, axes)
        return to_svg(figure, name, title)


def reliability_figure(calibration: pd.DataFrame, *, title: str, name: str) -> str:
    """Draw accuracy against confidence; the closer to the diagonal the better."""
    filled = calibration[calibration["count"] > 0]
    share = filled["count"] / max(1, int(filled["count"].sum()))
    width = calibration["upper"] - calibration["lower"]
    with drawing(4.6, 3.8) as (figure, axes):
        axes.bar(
            filled["lower"],
            filled["accuracy"],
            width[filled.index],
            align="edge",
            color=PALETTE[5],
            edgecolor=PALETTE[0],
            linewidth=0.8,
            label="accuracy in the bin",
        )
        axes.bar(
            filled["lower"],
            share,
            width[filled.index] * 0.45,
            align="edge",
            color=PALETTE[1],
            label="share of test rows",
        )
        axes.plot([0, 1], [0, 1], color=_INK, linestyle="--", linewidth=1, label="perfect")
        axes.set(
            xlim=(0, 1),
            ylim=(0, 1),
            title=title,
            xlabel="confidence (largest probability)",
            ylabel="accuracy, share",
        )
        _legend_below(figure, axes)
        return to_svg(figure, name, title)  # fmt: skip
