"""Lists of noisy labels for a published set, as authors publish them (``data.labels_path``)."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import first_reason, resolve_labels
from ferclean.datasets.classes import label_lookup
from ferclean.datasets.published.base import PublishedSet, read_name_and_number
from ferclean.errors import FercleanError
from ferclean.progress import say


def replace_labels(
    frame: pd.DataFrame, facts: PublishedSet, settings: DataSettings
) -> pd.DataFrame:
    """Let training rows take their labels from a list of noisy ones (``data.labels_path``).

    The data set's own labels become the truth, which evaluation alone reads. Labels of other splits
    stay as they are, whatever the list says of them; that is reported.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of :func:`labelled_frame`.
    facts : PublishedSet
        What the list's numbers mean.
    settings : DataSettings
        Names the list: a name and a number a line, as SCN, EAC and ReSup publish them.

    Raises
    ------
    FercleanError
        If the list cannot be read, names a picture twice, or lacks one of the training rows.
    """
    if settings.labels_path is None:
        return frame
    path = Path(settings.labels_path)
    found = read_name_and_number(path)
    stems = found["name"].map(_stem)
    if stems.duplicated().any():
        twice = stems[stems.duplicated()].iloc[0]
        raise FercleanError(f"{path} names the picture {twice!r} twice")
    words = pd.Series(facts.classes_of(found["number"]).to_numpy(), index=stems)
    listed = frame["path"].map(_stem)
    # A list is of the rows that its authors trained on: others keep the reason that they have.
    training = frame["split"].eq("train") & frame["reason"].isna()
    lacking = training & ~listed.isin(words.index)
    if lacking.any():
        raise FercleanError(
            f"{path} has no label for {int(lacking.sum())} of {int(training.sum())} training "
            f"pictures, for example {frame.loc[lacking, 'path'].iloc[0]}"
        )
    labels, reasons = resolve_labels(
        listed.map(words).where(training, frame["given"]), label_lookup(settings.classes)
    )
    held_out = frame["split"].ne("train") & frame["reason"].isna()
    wrong, _ = resolve_labels(listed[held_out].map(words), label_lookup(settings.classes))
    changed = int((wrong.notna() & wrong.ne(frame.loc[held_out, "given"])).sum())
    if changed:
        say(f"{path}: {changed} labels of test pictures differ there; the data set's own are kept")
    reason = frame["reason"].where(~training, first_reason(reasons))
    return frame.assign(true=frame["given"], given=labels, reason=reason)


def _stem(name: str) -> str:
    """Return what two lists of the same pictures agree on: no folder, suffix or ``_aligned``."""
    return PurePosixPath(name).stem.removesuffix("_aligned")


def refuse_labels_path(settings: DataSettings) -> None:
    """Refuse ``data.labels_path`` for a set whose pictures' names do not tell them apart.

    Raises
    ------
    FercleanError
        If the settings name such a list.
    """
    if settings.labels_path is not None:
        raise FercleanError(
            f"data.labels_path {settings.labels_path} is not read by data.source "
            f"{settings.source}: leave the key out"
        )
