import torch
from torch.nn import functional

from ferclean.models.preact_resnet import PreActResNet18


def reference(weights, pictures):
    """The network as functional calls on a state dict, in eval mode."""

    def norm(x, name):
        parts = (weights[f"{name}.{part}"] for part in ("running_mean", "running_var"))
        return functional.batch_norm(x, *parts, weights[f"{name}.weight"], weights[f"{name}.bias"])

    x = functional.conv2d(pictures, weights["conv1.weight"], padding=1)
    x = functional.relu(norm(x, "bn1"))
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            name = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            active = functional.relu(norm(x, f"{name}.bn1"))
            shortcut = active
            if stride == 2:
                shortcut = functional.conv2d(active, weights[f"{name}.shortcut.0.weight"], stride=2)
            x = functional.conv2d(active, weights[f"{name}.conv1.weight"], stride=stride, padding=1)
            x = functional.relu(norm(x, f"{name}.bn2"))
            x = functional.conv2d(x, weights[f"{name}.conv2.weight"], padding=1) + shortcut
    return functional.avg_pool2d(x, 4).flatten(1)


def test_equals_functional_reference():
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network = PreActResNet18(3)
        faces = torch.randn(3, 3, 32, 32)
        with torch.no_grad():
            network.train()(faces)  # moves the running statistics away from 0 and 1
            result = network.eval()(faces)
            expected = reference(network.state_dict(), faces)
    assert result.shape == (3, 512)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


def test_size_of_the_cifar_network():
    # 11.17 M with ten classes, the size given for the published CIFAR-10 runs.
    body = sum(parameter.numel() for parameter in PreActResNet18(3).parameters())
    assert body + 10 * 512 + 10 == 11_171_274
