"""Write the review page of an audit: one folder that opens offline."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ferclean.report.face_sheets import SheetLayout, draw_sheet, sheet_layout
from ferclean.report.review_page import (
    ReviewRows,
    faces_shown,
    page_data,
    render_review_page,
    rows_to_review,
)
from ferclean.tables.atomic import atomic_path, write_text
from ferclean.tables.face_packs import Faces

FOLDER, PAGE = "review", "index.html"
_TITLE = "Review of labels"


def write_review_page(content: ReviewRows, pack: Faces, position: np.ndarray, output: Path) -> None:
    """Write ``index.html`` and, beside it, the sheets of faces that it reads as it needs them.

    Parameters
    ----------
    content : ReviewRows
    pack : Faces
        ``(M, H, W, C)``.
    position : numpy.ndarray
        ``(N,)`` where the face of each row of the table lies in the pack.
    output : Path
        Folder of the page; sheets that an earlier audit left in it are removed.
    """
    rows = rows_to_review(content.table)
    faces = faces_shown(rows, content.nearest)
    layout = sheet_layout(*pack.shape[1:3])
    sheets = _write_sheets(pack, position[faces], layout, output)
    page = render_review_page(page_data(content, rows, faces), layout, sheets, title=_TITLE)
    # A page that is there has its faces: the earlier one until this line, then this one.
    write_text(output / PAGE, page)
    for old in output.glob("faces-*.jpg"):
        if old.name not in sheets:
            old.unlink()


def _write_sheets(
    pack: Faces, position: np.ndarray, layout: SheetLayout, output: Path
) -> list[str]:
    """Write sheets under names that tell their content, and return them in order.

    A browser that keeps a sheet, or a page that is still open, never shows other faces under it.
    """
    names = []
    for number, start in enumerate(range(0, len(position), layout.faces)):
        drawn = draw_sheet(np.asarray(pack[position[start : start + layout.faces]]), layout)
        names.append(f"faces-{number:04d}-{hashlib.sha256(drawn).hexdigest()[:12]}.jpg")
        with atomic_path(output / names[-1]) as temporary:
            temporary.write_bytes(drawn)
    return names
