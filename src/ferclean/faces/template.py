"""The canonical places of five landmarks, and the similarity transform onto them."""

from __future__ import annotations

import numpy as np

# Left eye, right eye, nose, left and right mouth corner in a 112 x 112 picture, pixel centres at
# whole numbers: the template of ArcFace (Deng et al. 2019, https://arxiv.org/abs/1801.07698;
# `arcface_dst` in insightface's face_align.py), itself SphereFace's moved by 8 pixels.
ARCFACE_SIZE = 112
ARCFACE_POINTS = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)


def face_template(size: int, *, margin: float = 0.0) -> np.ndarray:
    """Return where the landmarks stand in an aligned face.

    Parameters
    ----------
    size : int
        Height and width of the aligned face.
    margin : float
        Context added on every side, as a share of the canonical face: 0 is ArcFace's cut, 0.5
        shows a face half as large with twice the surroundings.

    Returns
    -------
    numpy.ndarray
        ``(5, 2)`` float64 x, y with pixel centres at whole numbers.

    Raises
    ------
    ValueError
        For a size below 1 or a negative margin.
    """
    if size < 1 or margin < 0:
        raise ValueError(f"size must be >= 1 and margin >= 0, found {size} and {margin}")
    # From pixel centres to the picture's edge and back, so that every size cuts the same part.
    share = (np.array(ARCFACE_POINTS) + 0.5) / ARCFACE_SIZE
    return (share + margin) / (1 + 2 * margin) * size - 0.5


def similarity_transform(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fit rotation, uniform scale and shift by least squares; never a reflection.

    Umeyama 1991 (https://doi.org/10.1109/34.88573), equations 40 to 43. In the plane a rotation
    with scale is a complex factor, and the fit is the regression of complex numbers.

    Parameters
    ----------
    source, target : numpy.ndarray
        ``(P, 2)`` corresponding points, at least two different ones in `source`.

    Returns
    -------
    numpy.ndarray
        ``(2, 3)`` float64 matrix: ``target ~ matrix[:, :2] @ source + matrix[:, 2]``.

    Raises
    ------
    ValueError
        For wrong shapes, points that are not finite, or points that fix no transform: all
        source points equal, or source and target without any common orientation.
    """
    source, target = np.asarray(source, dtype=float), np.asarray(target, dtype=float)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2:
        raise ValueError(f"expected two (P, 2) arrays, found {source.shape} and {target.shape}")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("points must be finite")
    from_centre, to_centre = source.mean(axis=0), target.mean(axis=0)
    before = (source - from_centre) @ (1, 1j)
    after = (target - to_centre) @ (1, 1j)
    spread, common = np.vdot(before, before).real, np.vdot(before, after)
    if abs(common) <= 1e-12 * max(spread, 1.0):
        raise ValueError("the points fix no similarity transform")
    factor = common / spread
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, to_centre - linear @ from_centre])


def template_residuals(landmarks: np.ndarray) -> np.ndarray:
    """Return how a face differs from the template once it was moved, turned and scaled onto it.

    Each face's own :func:`similarity_transform` takes out place, roll and size; what is left is
    shape: an open mouth, raised corners, a turned head.

    Parameters
    ----------
    landmarks : numpy.ndarray
        ``(N, 5, 2)`` in the order of the template, in pixels.

    Returns
    -------
    numpy.ndarray
        ``(N, 10)`` float32: x and y of the five differences in units of the template's distance
        between the eyes. NaN in the rows of a face whose landmarks are NaN, or all at one place.
    """
    points = landmarks[..., 0] + 1j * landmarks[..., 1]
    points = points - points.mean(axis=1, keepdims=True)
    target = np.array(ARCFACE_POINTS) @ (1, 1j)
    target = target - target.mean()
    spread = np.square(np.abs(points)).sum(axis=1)
    # The complex regression of `similarity_transform`, for all faces at once.
    with np.errstate(invalid="ignore"):
        factor = (points.conj() @ target) / np.where(spread > 0, spread, np.nan)
    residual = (factor[:, None] * points - target) / abs(target[1] - target[0])
    return np.stack([residual.real, residual.imag], axis=2).reshape(-1, 10).astype(np.float32)
