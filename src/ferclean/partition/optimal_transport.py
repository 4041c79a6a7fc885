"""The optimal transport cost between small distributions, for many pairs at once."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ferclean.partition.vectors import CACHED_VALUES, row_chunks

# At most so many vertices of the dual polytope are enumerated: 3,432 for 8 classes.
_MOST_VERTICES = 4000
# Breaks ties between equal costs, which real cost matrices are full of (symmetric, zero diagonal).
_TIE_BREAK = 1e-9
# Of the approximation for more classes; see `sinkhorn_distance`.
_REGULARISATION, _ITERATIONS = 0.01, 1000
_STOP_BELOW = 1e-7
_SMALLEST_MASS = 1e-100


def transport_distance(first: np.ndarray, second: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Return the least cost of turning one distribution into another, for every row.

    Exact for at most 8 classes (:func:`exact_distance`), else :func:`sinkhorn_distance`.

    Parameters
    ----------
    first, second : numpy.ndarray
        ``(N, K)`` distributions.
    cost : numpy.ndarray
        ``(K, K)`` non-negative.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` float64, at least 0.
    """
    classes = len(cost)
    few = math.comb(2 * classes - 2, classes - 1) <= _MOST_VERTICES
    return (exact_distance if few else sinkhorn_distance)(first, second, cost)


def exact_distance(first: np.ndarray, second: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Solve the transport problem of every row exactly, by the vertices of its dual.

    ``W(a, b) = max a.u + b.v`` over ``u_i + v_j <= C_ij``. That polytope depends on the cost
    only, and has ``binomial(2K-2, K-1)`` vertices (924 for seven classes), so that N problems
    are one product of matrices and a maximum. Parameters and result are those of
    :func:`transport_distance`.
    """
    vertices = _dual_vertices(np.ascontiguousarray(cost, dtype=np.float64).tobytes(), len(cost))
    found = np.empty(len(first))
    for part in row_chunks(len(first), len(vertices), CACHED_VALUES):
        pairs = np.concatenate([first[part], second[part]], axis=1)
        found[part] = (pairs @ vertices.T).max(axis=1)
    return np.maximum(found, 0.0)


def sinkhorn_distance(
    first: np.ndarray,
    second: np.ndarray,
    cost: np.ndarray,
    *,
    regularisation: float = _REGULARISATION,
    iterations: int = _ITERATIONS,
) -> np.ndarray:
    """Approximate every row's transport cost by Sinkhorn's algorithm.

    The entropic plan is rounded to one with exactly the wanted margins (Altschuler, Weed and
    Rigollet 2017, algorithm 2), so the result is the cost of a real plan: never below the
    exact one, and above it by at most about ``regularisation * log(K^2)``.

    Parameters
    ----------
    first, second, cost : numpy.ndarray
        As for :func:`transport_distance`.
    regularisation : float
        Of the largest cost, at least 0.005: the algorithm then needs no logarithms.
    iterations : int
        At most so many; it stops once all margins are right to 1e-7.
    """
    scale = float(cost.max(initial=0.0))
    if scale == 0.0:
        return np.zeros(len(first))
    kernel = np.exp(-cost / (regularisation * scale))
    found = np.empty(len(first))
    for part in row_chunks(len(first), cost.size):
        a, b = first[part], second[part]
        plan = _entropic_plan(a, b, kernel, iterations)
        found[part] = (_with_margins(plan, a, b) * cost).sum(axis=(1, 2))
    return found


def _entropic_plan(
    first: np.ndarray, second: np.ndarray, kernel: np.ndarray, iterations: int
) -> np.ndarray:
    """Scale the kernel to the margins; float64 holds ``exp(-1 / regularisation)`` with ease."""
    a, b = np.maximum(first, _SMALLEST_MASS), np.maximum(second, _SMALLEST_MASS)
    u, v = np.ones_like(a), np.ones_like(b)
    for number in range(iterations):
        flow = v @ kernel.T
        # Right after an update of v the columns are right, and the rows are off by this much.
        if number > 0 and np.abs(u * flow - a).max(initial=0.0) < _STOP_BELOW:
            break
        u = a / flow
        v = b / (u @ kernel)
    return np.asarray(u[:, :, None] * kernel * v[:, None, :])


def _with_margins(plan: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Scale a plan's rows and columns down to the margins, and spread what is then missing."""
    rows = plan.sum(axis=2)
    plan = plan * np.minimum(1.0, first / np.maximum(rows, _SMALLEST_MASS))[:, :, None]
    columns = plan.sum(axis=1)
    plan = plan * np.minimum(1.0, second / np.maximum(columns, _SMALLEST_MASS))[:, None, :]
    rest_a = np.maximum(first - plan.sum(axis=2), 0.0)
    rest_b = np.maximum(second - plan.sum(axis=1), 0.0)
    total = np.maximum(rest_a.sum(axis=1), _SMALLEST_MASS)[:, None, None]
    return np.asarray(plan + rest_a[:, :, None] * rest_b[:, None, :] / total)


@lru_cache(maxsize=8)
def _dual_vertices(cost_bytes: bytes, classes: int) -> np.ndarray:
    """Return the vertices ``(V, 2K)`` of ``u_i + v_j <= C_ij`` with ``u_0 = 0``.

    A vertex is a spanning tree of tight pairs between K sources and K targets. From one tree
    its neighbours are found by giving up one tight pair until another one becomes tight.
    """
    cost = np.frombuffer(cost_bytes).reshape(classes, classes)
    scale = cost.max(initial=0.0) or 1.0
    generic = cost + _TIE_BREAK * scale * np.random.default_rng(0).random(cost.shape)
    waiting = [_first_tree(generic)]
    known = {waiting[0]}
    vertices = []
    while waiting:
        tree = waiting.pop()
        vertices.append(_potentials(tree, cost))
        slack = _slack(_potentials(tree, generic), generic)
        for edge in tree:
            entering = _entering(tree - {edge}, edge, slack)
            if entering is not None and (found := tree - {edge} | {entering}) not in known:
                known.add(found)
                waiting.append(found)
    return np.unique(np.round(vertices, 12), axis=0)


_Tree = frozenset[tuple[int, int]]


def _first_tree(cost: np.ndarray) -> _Tree:
    """Make pairs tight one by one: lower the targets, then grow the tree of source 0."""
    classes = len(cost)
    tree = {(0, j) for j in range(classes)}  # v = C_0j, u_0 = 0: every target hangs on source 0
    for i in range(1, classes):
        tree.add((i, int((cost[i] - cost[0]).argmin())))  # u_i as large as it may be
    return frozenset(tree)


def _potentials(tree: _Tree, cost: np.ndarray) -> np.ndarray:
    """Solve ``u_i + v_j = C_ij`` over the tree's pairs with ``u_0 = 0``; ``(2K,)``."""
    classes = len(cost)
    values = np.full(2 * classes, np.nan)
    values[0] = 0.0
    open_pairs = list(tree)
    while open_pairs:
        later = []
        for i, j in open_pairs:
            u, v = values[i], values[classes + j]
            if np.isnan(u) and np.isnan(v):
                later.append((i, j))
            elif np.isnan(v):
                values[classes + j] = cost[i, j] - u
            else:
                values[i] = cost[i, j] - v
        open_pairs = later
    return values


def _slack(potentials: np.ndarray, cost: np.ndarray) -> np.ndarray:
    classes = len(cost)
    return np.asarray(cost - potentials[:classes, None] - potentials[None, classes:])


def _entering(rest: _Tree, left: tuple[int, int], slack: np.ndarray) -> tuple[int, int] | None:
    """Return the pair that becomes tight once `left` is given up; ``None`` where none does.

    Without it the tree falls in two. Lowering the sources and raising the targets on the side
    of the given-up pair's source loosens that pair; the pairs from the other side's sources to
    this side's targets tighten.
    """
    sources, targets = {left[0]}, set[int]()
    pending = list(rest)
    while pending:
        later = [(i, j) for i, j in pending if i not in sources and j not in targets]
        if len(later) == len(pending):
            break
        for i, j in pending:
            if i in sources or j in targets:
                sources.add(i)
                targets.add(j)
        pending = later
    others = [i for i in range(len(slack)) if i not in sources]
    tightening = [(i, j) for i in others for j in targets]
    return min(tightening, key=lambda pair: slack[pair], default=None)
