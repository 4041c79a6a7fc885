"""Picture of the class similarities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_ANNOTATED_CLASSES = 20  # more numbers than 20 x 20 cannot be read


def draw_heat_map(path: Path, classes: Sequence[str], similarity: np.ndarray, title: str) -> None:
    """Draw a matrix of cosines as a PNG with its values written in the cells.

    Parameters
    ----------
    path : Path
        Where to draw.
    classes : sequence of str
        K class names.
    similarity : numpy.ndarray
        ``(K, K)`` in ``[-1, 1]``.
    title : str
        Heading.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"text.parse_math": False}):  # a class may be called $x$
        count = len(classes)
        side = float(np.clip(0.75 * count, 3.0, 20.0))
        figure = Figure(figsize=(side + 2.0, side + 1.0), dpi=120, layout="constrained")
        axes = figure.add_subplot()
        # cividis was made for colour-blind readers and keeps its order in grey.
        lowest = min(0.0, float(similarity.min()))
        image = axes.imshow(similarity, cmap="cividis", vmin=lowest, vmax=1.0)
        axes.set_xticks(range(count), classes, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(count), classes)
        axes.set_title(title)
        axes.spines[:].set_visible(False)
        figure.colorbar(image, ax=axes, label="cosine similarity", shrink=0.85)
        if count <= _ANNOTATED_CLASSES:
            middle = (1.0 + lowest) / 2
            for (row, column), value in np.ndenumerate(similarity):
                colour = "black" if value > middle else "white"
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
        # Without the version in its metadata the file is the same for the same drawing.
        figure.savefig(path, format="png", metadata={"Software": None})
