import numpy as np
import pytest
import torch

from ferclean.config.training import ModelSettings, TrainingSettings
from ferclean.errors import FercleanError
from ferclean.models.registry import build_network
from ferclean.train.observe import observe
from ferclean.train.pictures import Pictures

SETTINGS = TrainingSettings(precision="float32")


def make_network(seed):
    return build_network(ModelSettings("tiny48"), classes=3, channels=1, image_size=24, seed=seed)


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, size=(30, 24, 24, 1), dtype=np.uint8)


def pictures_of(faces, rows):
    return Pictures(faces, rows, device=torch.device("cpu"), settings=SETTINGS)


def test_logits_are_those_of_each_picture_alone_in_the_given_order(faces):
    networks, rows = [make_network(0), make_network(1)], np.array([7, 3, 29, 0])
    found = observe(networks, pictures_of(faces, rows), SETTINGS).logits
    assert found.shape == (2, 4, 3) and found.dtype == np.float32
    for n, network in enumerate(networks):
        assert not network.training
        for i, row in enumerate(rows):
            picture = torch.from_numpy(faces[row : row + 1].transpose(0, 3, 1, 2)).float() / 255
            with torch.no_grad():
                alone = network.eval()((picture - 0.5) / 0.25)[0]
            np.testing.assert_allclose(found[n, i], alone.numpy(), atol=1e-4)


def test_further_outputs_are_those_of_the_same_forward_pass(faces):
    def heads(feature_dim):
        return {"scale": torch.nn.Linear(feature_dim, 3)}

    size = {"classes": 3, "channels": 1, "image_size": 24}
    network = build_network(ModelSettings("tiny48"), **size, seed=0, heads=heads)
    pictures = pictures_of(faces, np.arange(30))
    found = observe([network], pictures, SETTINGS, outputs=("features", "scale"), epoch=4)
    assert found.epoch == 4 and found.outputs["features"].shape == (1, 30, 128)
    features = torch.from_numpy(found.outputs["features"][0])
    with torch.no_grad():
        expected = network.heads["scale"](features).numpy()
        logits = network.classifier(features).numpy()
    np.testing.assert_allclose(found.outputs["scale"][0], expected, atol=1e-5)
    np.testing.assert_allclose(found.logits[0], logits, atol=1e-5)


def test_outputs_that_are_not_finite_stop_with_the_way_out(faces):
    network = make_network(0)
    torch.nn.init.constant_(network.classifier.bias, float("nan"))
    with pytest.raises(FercleanError, match=r"training diverged; lower training\.optimizer"):
        observe([network], pictures_of(faces, np.arange(5)), SETTINGS)
