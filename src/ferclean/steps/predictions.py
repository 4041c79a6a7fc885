"""What a run's training steps predicted for the held-out rows, read back for evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ferclean.errors import FercleanError
from ferclean.tables.labels import LabelTable

_DOUBT = "uncertainty_"


@dataclass(frozen=True)
class Predictions:
    """Predictions of E epochs for N held-out rows.

    Attributes
    ----------
    epoch : numpy.ndarray
        ``(E,)`` int64.
    probabilities : numpy.ndarray
        ``(E, N, K)``.
    sample_id : numpy.ndarray
        ``(N,)`` text.
    source : Path
        File to name in errors.
    doubts : dict of str to numpy.ndarray
        ``(N,)`` what the method knew of its own doubt after the last epoch, by name.
    """

    epoch: np.ndarray
    probabilities: np.ndarray
    sample_id: np.ndarray
    source: Path
    doubts: dict[str, np.ndarray] = field(default_factory=dict)

    def of_rows(self, table: LabelTable) -> np.ndarray:
        """Return ``(E, M, K)`` for the rows of a table.

        Raises
        ------
        FercleanError
            Naming a row without prediction.
        """
        return np.asarray(self.probabilities[:, self._order(table)])

    def doubts_of_rows(self, table: LabelTable) -> dict[str, np.ndarray]:
        """Return each doubt ``(M,)`` for the rows of a table; errors as :meth:`of_rows`."""
        order = self._order(table)
        return {name: values[order] for name, values in self.doubts.items()}

    def _order(self, table: LabelTable) -> np.ndarray:
        position = {name: i for i, name in enumerate(self.sample_id.tolist())}
        missing = [name for name in table.frame["sample_id"] if name not in position]
        if missing:
            raise FercleanError(f"{self.source} lacks the row {missing[0]!r}; rerun that step")
        return np.array([position[name] for name in table.frame["sample_id"]], dtype=np.int64)


def read_run_predictions(folders: list[Path]) -> Predictions:
    """Read the predictions of pretraining and the rounds, joined along the epochs.

    Parameters
    ----------
    folders : list of Path
        Of pretraining and rounds 1..R; each holds ``predictions.npz``.

    Returns
    -------
    Predictions
        With the doubts of the last folder.

    Raises
    ------
    FercleanError
        If a file is missing or broken, or the files hold different rows.
    """
    parts = [_read_predictions(folder / "predictions.npz") for folder in folders]
    first = parts[0]
    for part in parts[1:]:
        if not np.array_equal(part.sample_id, first.sample_id):
            raise FercleanError(f"{part.source} and {first.source} hold different rows")
    return Predictions(
        np.concatenate([part.epoch for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        first.sample_id,
        first.source,
        parts[-1].doubts,
    )


def _read_predictions(path: Path) -> Predictions:
    try:
        with np.load(path, allow_pickle=False) as content:
            read = {key: content[key] for key in ("epoch", "probabilities", "sample_id")}
            doubts = {
                key.removeprefix(_DOUBT): content[key] for key in content if key.startswith(_DOUBT)
            }
    except FileNotFoundError:
        raise FercleanError(f"predictions not found: {path}") from None
    # A file that is none makes numpy's and zip's readers raise nearly anything.
    except Exception as error:
        raise FercleanError(f"{path} is not a predictions file: {error}") from None
    probabilities, ids = read["probabilities"], read["sample_id"]
    if probabilities.ndim != 3 or probabilities.shape[:2] != (len(read["epoch"]), len(ids)):
        raise FercleanError(f"{path}: probabilities must be (epochs, rows, classes)")
    if not np.isfinite(probabilities).all():
        raise FercleanError(f"{path} holds probabilities that are not numbers: training diverged")
    for name, values in doubts.items():
        numbers = values.dtype.kind == "f" and values.shape == ids.shape
        if not numbers or not np.isfinite(values).all():
            raise FercleanError(f"{path}: {_DOUBT}{name} must be a number a row; rerun that step")
    return Predictions(read["epoch"], probabilities, ids, path, doubts)
