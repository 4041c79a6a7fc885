import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR, OneCycleLR

from ferclean.config.training import OptimizerSettings
from ferclean.train.schedule import build_optimizer, learning_rate, set_learning_rate


def rates_of_torch(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def own_rates(schedule, epochs, steps_per_epoch=1, **keys):
    settings = OptimizerSettings(schedule=schedule, learning_rate=0.1, **keys)
    positions = [step / steps_per_epoch for step in range(epochs * steps_per_epoch)]
    return [learning_rate(settings, epoch=p, total_epochs=epochs) for p in positions]


def test_one_cycle_is_torchs_up_to_its_shift_of_one_step():
    # torch counts total_steps - 1 intervals, a run of n steps here has n: same curve, finer grid
    total = 2000
    reference = rates_of_torch(
        lambda o: OneCycleLR(o, max_lr=0.1, total_steps=total + 1, cycle_momentum=False), total
    )
    assert own_rates("one_cycle", 20, 100) == pytest.approx(reference, abs=2e-4)


def test_cosine_is_torchs():
    reference = rates_of_torch(lambda o: CosineAnnealingLR(o, T_max=30), 30)
    assert own_rates("cosine", 30) == pytest.approx(reference, abs=1e-9)


def test_step_is_torchs_and_every_milestone_counts():
    reference = rates_of_torch(lambda o: MultiStepLR(o, milestones=[10, 20], gamma=0.1), 30)
    own = own_rates("step", 30, milestones=(10.0, 20.0))
    assert own == pytest.approx(reference)
    assert len({round(rate, 9) for rate in own}) == 3  # the middle phase happens


def test_constant_never_changes():
    assert set(own_rates("constant", 5)) == {0.1}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)],
)
def test_optimiser_takes_its_settings(name, kind):
    settings = OptimizerSettings(name=name, learning_rate=0.02, weight_decay=5e-4, momentum=0.8)
    optimizer = build_optimizer(torch.nn.Linear(2, 2), settings)
    assert type(optimizer) is kind
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.02, 5e-4)
    assert group.get("momentum", 0.8) == 0.8
    set_learning_rate(optimizer, 0.5)
    assert optimizer.param_groups[0]["lr"] == 0.5
