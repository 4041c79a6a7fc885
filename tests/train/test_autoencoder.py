import numpy as np
import pytest
import torch

from ferclean.config.training import OptimizerSettings, TrainingSettings
from ferclean.errors import FercleanError
from ferclean.models.autoencoder import build_autoencoder
from ferclean.train.autoencoder import autoencoder_pass, encode
from ferclean.train.loop import run_pass
from ferclean.train.passes import Batch, Step
from ferclean.train.pictures import Pictures
from ferclean.train.schedule import build_optimizer
from ferclean.train.state import TrainState

SETTINGS = TrainingSettings(batch_size=8, precision="float32")
DEVICE = torch.device("cpu")


def networks(count=2, dimensions=3):
    return [
        build_autoencoder("tiny", code_dimensions=dimensions, channels=1, image_size=16, seed=seed)
        for seed in range(count)
    ]


def pictures(rows=20):
    faces = np.random.default_rng(0).integers(0, 255, (rows, 16, 16, 1)).astype(np.uint8)
    return Pictures(faces, np.arange(rows), device=DEVICE, settings=SETTINGS)


def test_the_loss_is_equation_1_with_pixels_between_0_and_1():
    made = networks(1)
    wanted = torch.randn(20, 3)
    work = autoencoder_pass(0, np.arange(20), wanted, SETTINGS, cosine_weight=0.25)
    assert work.trains == (0,) and work.streams[0].batch_size == 8
    view = (torch.rand(4, 1, 16, 16) - 0.5) / 0.25
    step = Step({"all": Batch(torch.arange(4), (view,))}, made, 0.0, None, None)
    error, angle = work.objective(step)
    made[0].train()
    code, back = made[0](view)
    naive = ((back - (view * 0.25 + 0.5)) ** 2).mean(dim=(1, 2, 3))
    torch.testing.assert_close(error.values, naive)
    torch.testing.assert_close(
        angle.values, 1 - torch.cosine_similarity(code, wanted[:4]), atol=1e-5, rtol=0
    )
    assert (error.weight, angle.weight) == (1.0, 0.25)


def test_every_row_is_coded_by_the_network_of_its_fold():
    made, fold = networks(2), np.arange(20) % 3 // 2
    found = encode(made, pictures(), fold, SETTINGS)
    for number in (0, 1):
        alone = encode(made[number : number + 1], pictures(), np.zeros(20, dtype=int), SETTINGS)
        np.testing.assert_allclose(found[fold == number], alone[fold == number], atol=1e-5)
    assert not np.allclose(found[fold == 1], alone[fold == 0][: (fold == 1).sum()])


def test_batches_change_nothing(monkeypatch):
    made, fold = networks(2), np.arange(20) % 2
    whole = encode(made, pictures(), fold, SETTINGS)
    monkeypatch.setattr("ferclean.train.autoencoder._EVAL_BATCH", 3)
    np.testing.assert_allclose(encode(made, pictures(), fold, SETTINGS), whole, atol=1e-5)


def test_codes_turn_towards_the_words():
    made = networks(1)
    optimizer = OptimizerSettings(schedule="constant", learning_rate=3e-3)
    settings = TrainingSettings(
        batch_size=8, warm_up_epochs=9, rounds=0, precision="float32", optimizer=optimizer
    )
    wanted = torch.eye(3)[torch.arange(20) % 3]
    state = TrainState(made, [build_optimizer(made[0], optimizer)])
    work = autoencoder_pass(0, np.arange(20), wanted, settings, cosine_weight=1.0)
    losses = []
    for _ in range(12):
        losses.append(run_pass(work, 0, state, pictures(), settings, seed=0).losses["loss_cosine"])
        state.epoch += 1
    assert losses[-1] < 0.6 * losses[0]


def test_a_code_that_is_no_number_is_named():
    made = networks(1)
    with torch.no_grad():
        made[0].encoder[-1].bias.fill_(float("nan"))
    with pytest.raises(FercleanError, match=r"embedding\.optimizer\.learning_rate"):
        encode(made, pictures(), np.zeros(20, dtype=int), SETTINGS)
