"""Learning rate as a pure function of the position in the whole run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from ferclean.config.training import OptimizerSettings

# torch.optim.lr_scheduler.OneCycleLR's defaults: warm-up share, initial and final divisors.
_ONE_CYCLE_WARM_UP, _ONE_CYCLE_START, _ONE_CYCLE_END = 0.3, 25.0, 1e4


def learning_rate(settings: OptimizerSettings, *, epoch: float, total_epochs: int) -> float:
    """Return the learning rate at a (fractional) epoch.

    Parameters
    ----------
    settings : OptimizerSettings
        Peak rate and schedule. ``step`` multiplies by gamma at each milestone epoch;
        ``one_cycle`` is the rate of torch's ``OneCycleLR`` with cosine phases; momentum stays
        as set.
    epoch : float
        Position, 0 at the first step of warm-up; step k of n in epoch e stands at ``e + k/n``.
    total_epochs : int
        Length of the whole run, warm-up included.

    Returns
    -------
    float
    """
    peak, progress = settings.learning_rate, min(epoch / total_epochs, 1.0)
    if settings.schedule == "constant":
        return peak
    if settings.schedule == "step":
        passed = sum(epoch >= milestone for milestone in settings.milestones)
        return peak * settings.gamma**passed
    if settings.schedule == "cosine":
        return _cosine_between(peak, 0.0, progress)
    start, end = peak / _ONE_CYCLE_START, peak / _ONE_CYCLE_START / _ONE_CYCLE_END
    if progress < _ONE_CYCLE_WARM_UP:
        return _cosine_between(start, peak, progress / _ONE_CYCLE_WARM_UP)
    return _cosine_between(peak, end, (progress - _ONE_CYCLE_WARM_UP) / (1 - _ONE_CYCLE_WARM_UP))


def _cosine_between(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def build_optimizer(
    network: torch.nn.Module,
    settings: OptimizerSettings,
    factors: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """Return the optimiser of one network; its rate is set anew at every step.

    Parameters
    ----------
    network : torch.nn.Module
    settings : OptimizerSettings
    factors : mapping of str to float, optional
        Learning-rate factors of the parameters whose name starts so; all others have 1.
    """
    groups: list[dict[str, Any]] = [{"params": [], "factor": 1.0}]
    groups += [{"params": [], "factor": factor} for factor in (factors or {}).values()]
    for name, parameter in network.named_parameters():
        matches = [i for i, prefix in enumerate(factors or {}, 1) if name.startswith(prefix)]
        groups[matches[0] if matches else 0]["params"].append(parameter)
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.name == "sgd":
        return torch.optim.SGD(groups, rate, settings.momentum, weight_decay=decay)
    kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
    return kind(groups, rate, weight_decay=decay)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group the learning rate times its own factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
