import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.config.training import ModelSettings
from ferclean.errors import FercleanError
from ferclean.models.registry import build_network
from ferclean.models.weights import load_backbone_weights


def build(name="tiny48", *, channels=1, seed=0, classes=7, size=80):
    if name == "inception_resnet_v1":
        pytest.importorskip("facenet_pytorch")
    return build_network(
        ModelSettings(name=name), classes=classes, channels=channels, image_size=size, seed=seed
    )


def saved(content, folder, name="weights.pt"):
    torch.save(content, folder / name)
    return folder / name


def same(first, second):
    return first.keys() == second.keys() and all(
        torch.equal(value, second[key]) for key, value in first.items()
    )


def refused(network, path, pattern):
    """The file is refused with one line, and the network is as before."""
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(FercleanError, match=pattern) as caught:
        load_backbone_weights(network, path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("model.weights: ")
    assert same(before, network.state_dict())


WRAPPERS = {
    "plain": lambda weights: weights,
    "state_dict": lambda weights: {"state_dict": weights, "epoch": 3, "best": 0.5},
    "model": lambda weights: {"model": weights, "optimizer": {"lr": [0.1]}},
    "model_state_dict": lambda weights: {"model_state_dict": weights},
    "twice": lambda weights: {"state_dict": {"model": weights}},
    "module": lambda weights: {f"module.{key}": value for key, value in weights.items()},
    "compiled": lambda weights: {f"_orig_mod.{key}": value for key, value in weights.items()},
    "both": lambda weights: {
        "net": {f"module._orig_mod.{key}": value for key, value in weights.items()}
    },
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_own_names_in_common_wrappings(tmp_path, wrapper):
    source, network = build(seed=1), build(seed=2)
    path = saved(WRAPPERS[wrapper](source.state_dict()), tmp_path)
    load_backbone_weights(network, path)
    assert same(network.state_dict(), source.state_dict())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_torchvision_resnets(tmp_path, name):
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    published = models.get_model(name, weights=None, num_classes=11)
    network = build(name, channels=3)
    head = network.classifier.weight.clone()
    load_backbone_weights(network, saved(published.state_dict(), tmp_path))
    published.fc = torch.nn.Identity()
    faces = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.eval().features(faces), published.eval()(faces))
    assert torch.equal(network.classifier.weight, head)


def test_the_same_number_of_classes_loads_the_classifier(tmp_path):
    models = pytest.importorskip("torchvision.models")
    published = models.resnet18(weights=None, num_classes=7).state_dict()
    network = build("resnet18", channels=3)
    load_backbone_weights(network, saved(published, tmp_path))
    assert torch.equal(network.classifier.weight, published["fc.weight"])
    assert torch.equal(network.classifier.bias, published["fc.bias"])


def test_colour_weights_in_a_grey_network(tmp_path):
    models = pytest.importorskip("torchvision.models")
    published = models.resnet18(weights=None, num_classes=11)
    network = build("resnet18", channels=1)
    load_backbone_weights(network, saved(published.state_dict(), tmp_path))
    published.fc = torch.nn.Identity()
    grey = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        expected = published.eval()(grey.expand(-1, 3, -1, -1))
        result = network.eval().features(grey)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


def test_grey_weights_in_a_colour_network_are_refused(tmp_path):
    path = saved(build(channels=1).state_dict(), tmp_path)
    refused(build(channels=3), path, r"of another shape: backbone\.0\.weight \(32, 1, 3, 3\)")


def test_other_stem_is_refused(tmp_path):
    path = saved(build("resnet18", channels=3).state_dict(), tmp_path)
    refused(build("resnet18_3x3", channels=3), path, r"backbone\.conv1\.weight \(64, 3, 7, 7\)")


@pytest.mark.slow
def test_torchvision_vgg16_without_its_second_layer(tmp_path):
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        shapes = models.vgg16(weights=None).state_dict()
    # Expanded from one number each, so that the file stays small.
    published = {
        key: torch.tensor(float(number)).expand(value.shape)
        for number, (key, value) in enumerate(shapes.items())
    }
    network = build("vgg16", channels=3)
    head = network.classifier.weight.clone()
    load_backbone_weights(network, saved(published, tmp_path))
    loaded = network.state_dict()
    for key, value in published.items():
        if not key.startswith(("classifier.3.", "classifier.6.")):
            assert loaded[f"backbone.{key}"].flatten()[-1] == value.flatten()[-1]
            assert loaded[f"backbone.{key}"].shape == value.shape
    assert torch.equal(network.classifier.weight, head)


def test_facenet_names(tmp_path):
    facenet = pytest.importorskip("facenet_pytorch")
    published = facenet.InceptionResnetV1(pretrained=None, classify=True, num_classes=31)
    network = build("inception_resnet_v1", channels=3)
    load_backbone_weights(network, saved(published.state_dict(), tmp_path))
    published.eval().logits = torch.nn.Identity()
    faces = torch.randn(2, 3, 80, 80)
    with torch.no_grad():
        assert torch.equal(network.eval().features(faces), published(faces))


def test_names_of_the_preactivation_resnet(tmp_path):
    weights = {
        key.replace("backbone.", "").replace("classifier.", "linear."): value
        for key, value in build("preact_resnet18", seed=1).state_dict().items()
    }
    assert {"conv1.weight", "bn1.bias", "layer2.0.shortcut.0.weight", "linear.bias"} <= set(weights)
    network = build("preact_resnet18", seed=2)
    load_backbone_weights(network, saved(weights, tmp_path))
    assert same(network.state_dict(), build("preact_resnet18", seed=1).state_dict())


def test_embedding_layer_of_face_resnet18_is_left_out(tmp_path):
    models = pytest.importorskip("torchvision.models")
    weights = models.resnet18(weights=None, num_classes=11).state_dict()
    weights |= {"feature.weight": torch.zeros(256, 512), "feature.bias": torch.zeros(256)}
    weights["fc.weight"] = torch.zeros(11, 256)
    network = build("resnet18", channels=3)
    load_backbone_weights(network, saved(weights, tmp_path))
    assert torch.equal(network.backbone.conv1.weight, weights["conv1.weight"])


def test_two_networks_take_different_files(tmp_path):
    faces, objects = build(seed=1), build(seed=2)
    branches = [build(seed=3), build(seed=4)]
    for branch, source in zip(branches, (faces, objects), strict=True):
        load_backbone_weights(branch, saved(source.state_dict(), tmp_path))
    assert same(branches[0].state_dict(), faces.state_dict())
    assert same(branches[1].state_dict(), objects.state_dict())


def test_absent_classifier_is_kept(tmp_path):
    weights = build(seed=1).state_dict()
    kept = {key: value for key, value in weights.items() if not key.startswith("classifier.")}
    network = build(seed=2)
    head = network.classifier.weight.clone()
    load_backbone_weights(network, saved(kept, tmp_path))
    assert torch.equal(network.classifier.weight, head)
    assert torch.equal(network.backbone[0].weight, weights["backbone.0.weight"])


def test_batch_counters_may_be_absent_together(tmp_path):
    weights = build(seed=1).state_dict()
    counters = [key for key in weights if key.endswith("num_batches_tracked")]
    assert len(counters) == 4
    without = {key: value for key, value in weights.items() if key not in counters}
    network = build(seed=2)
    load_backbone_weights(network, saved(without, tmp_path))
    assert same(network.state_dict(), weights)
    weights.pop(counters[1])
    refused(build(), saved(weights, tmp_path), f"1 missing: {counters[1]}$")


def change(weights, **changes):
    return {**weights, **{key.replace("__", "."): value for key, value in changes.items()}}


MISFITS = {
    "missing": (
        lambda w: {key: value for key, value in w.items() if key != "backbone.3.weight"},
        r"does not fit the backbone: 1 missing: backbone\.3\.weight",
    ),
    "extra": (
        lambda w: change(w, backbone__9__extra=torch.zeros(1)),
        r"1 unexpected: backbone\.9\.extra",
    ),
    "one key without prefix": (
        lambda w: {"0.weight" if k == "backbone.0.weight" else k: v for k, v in w.items()},
        r"1 missing: backbone\.0\.weight",
    ),
    "half of the keys with prefix": (
        lambda w: {("module." + k if "bias" in k else k): v for k, v in w.items()},
        r"5 missing: .*, \.\.\.$",
    ),
    "shape": (
        lambda w: change(w, backbone__3__weight=torch.zeros(64, 32, 1, 1)),
        r"of another shape: backbone\.3\.weight \(64, 32, 1, 1\) instead of \(64, 32, 3, 3\)",
    ),
    "integers": (
        lambda w: change(w, backbone__0__weight=torch.zeros(32, 1, 3, 3, dtype=torch.int8)),
        r"another kind of number: backbone\.0\.weight torch\.int8 instead of torch\.float32",
    ),
    "half a classifier": (
        lambda w: {key: value for key, value in w.items() if key != "classifier.bias"},
        r"1 missing: classifier\.bias",
    ),
    "inconsistent classifier": (
        lambda w: change(w, classifier__weight=torch.zeros(9, 128)),
        r"classifier\.weight \(9, 128\) instead of \(7, 128\)",
    ),
    "narrow classifier": (
        lambda w: change(w, classifier__weight=torch.zeros(7, 64)),
        r"classifier\.weight \(7, 64\) instead of \(7, 128\)",
    ),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_refused(tmp_path, misfit):
    spoil, pattern = MISFITS[misfit]
    refused(build(), saved(spoil(build(seed=1).state_dict()), tmp_path), pattern)


def test_weights_of_another_backbone_are_refused(tmp_path):
    refused(
        build(), saved(build("resnet18").state_dict(), tmp_path), r"missing: backbone\.0\.weight,"
    )


CONTENTS = {
    "a tensor": (torch.zeros(3), "holds no mapping"),
    "empty": ({}, "holds no mapping"),
    "a list": ([1, 2], "holds no mapping"),
    "a number": ({"epoch": 3}, "entry 'epoch' of .* is no tensor"),
    "a number for a name": ({1: torch.zeros(1)}, "entry 1 of .* is no tensor"),
    "two candidates": (
        {"state_dict": {"a": torch.zeros(1)}, "model": {"a": torch.zeros(1)}},
        r"under each of \['state_dict', 'model'\]",
    ),
}


CYCLE = {}
CYCLE["model"] = CYCLE
CONTENTS["a mapping that holds itself"] = (CYCLE, "entry 'model' of .* is no tensor")


@pytest.mark.parametrize("kind", CONTENTS)
def test_content_that_is_no_state_dict_is_refused(tmp_path, kind):
    content, pattern = CONTENTS[kind]
    refused(build(), saved(content, tmp_path), pattern)


class Attack:
    """Creates a file when a careless reader unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("legacy", [False, True])
def test_pickles_that_run_code_are_refused(tmp_path, legacy):
    trace = tmp_path / "trace"
    path = tmp_path / "weights.pt"
    content = {**build().state_dict(), "x": Attack(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    refused(build(), path, "is refused because it is damaged or holds Python objects")
    path.write_bytes(pickle.dumps(Attack(trace)))
    refused(build(), path, "is refused because it is damaged or holds Python objects")
    assert not trace.exists()


def test_absent_file_and_folder(tmp_path):
    refused(build(), tmp_path / "absent.pt", "file not found: .*absent.pt")
    refused(build(), tmp_path, "cannot be read")


@pytest.fixture(scope="module")
def good_bytes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    torch.save(build().state_dict(), folder / "old.pt", _use_new_zipfile_serialization=False)
    return (folder / "old.pt").read_bytes(), folder


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_files_never_end_in_another_error(good_bytes, data):
    good, folder = good_bytes
    damaged = bytearray(good[: data.draw(st.integers(0, len(good) - 1), label="length")])
    for _ in range(3):
        # Names, opcodes and shapes stand in the first few thousand bytes.
        position = data.draw(st.integers(0, 4000), label="position")
        if position < len(damaged):
            damaged[position] = data.draw(st.integers(0, 255), label="value")
    path = folder / "damaged.pt"
    path.write_bytes(damaged)
    refused(build(), path, "refused because|cannot be read|does not fit|no tensor|no mapping")
