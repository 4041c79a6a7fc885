import numpy as np
import pytest
import torch
from torch.nn import functional

from ferclean.config.methods.ldl_alsg import LdlAlsgSettings
from ferclean.errors import FercleanError
from ferclean.methods.base import softmax
from ferclean.methods.ldl_alsg import LdlAlsg
from ferclean.partition.neighbours import nearest_neighbours, neighbour_weights
from ferclean.train.observe import Observation
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES = 3


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    observed = random.integers(CLASSES, size=60)
    landmarks = random.normal(size=(60, 10)).astype(np.float32)
    outputs = {"features": random.random((1, 60, 5)).astype(np.float32)}
    logits = random.normal(size=(1, 60, CLASSES)).astype(np.float32)
    return make_context(observed, CLASSES, landmarks=landmarks), Observation(logits, outputs, 3)


@pytest.mark.parametrize(("space", "metric"), [("landmarks", "euclidean"), ("features", "cosine")])
def test_evidence_is_the_weighted_mean_prediction_of_neighbours_in_the_space(data, space, metric):
    context, seen = data
    recipe = LdlAlsg(LdlAlsgSettings(space=space, neighbours=4))
    found = recipe.partition(seen, context, recipe.start_memory(context))
    vectors = context.side["landmarks"] if space == "landmarks" else seen.outputs["features"][0]
    near = nearest_neighbours(vectors, 4, metric=metric)
    weights = neighbour_weights(near.distance, metric)
    p = softmax(seen.logits[0])
    for row in range(60):
        expected = np.average(p[near.index[row]], axis=0, weights=weights[row])
        np.testing.assert_allclose(
            found.evidence["neighbour_distribution"][row], expected, rtol=1e-5
        )


def test_the_graph_of_landmarks_is_remembered_and_that_of_features_is_not(data):
    context, _ = data
    memory = LdlAlsg(LdlAlsgSettings(neighbours=4)).start_memory(context)
    assert {name: value.shape for name, value in memory.items()} == {
        "neighbour_index": (60, 4),
        "neighbour_weight": (60, 4),
    }
    assert LdlAlsg(LdlAlsgSettings(space="features")).start_memory(context) == {}


def test_faces_without_landmarks_are_told_the_way_out(data):
    context, seen = data
    context.side["landmarks"][7] = np.nan
    with pytest.raises(FercleanError) as caught:
        LdlAlsg(LdlAlsgSettings()).start_memory(context)
    assert str(caught.value).startswith("1 of 60 training faces have no landmarks (align.detector")
    assert "set methods.ldl_alsg.space to features" in str(caught.value)
    recipe = LdlAlsg(LdlAlsgSettings(space="features"))
    recipe.partition(seen, context, recipe.start_memory(context))


def test_loss_is_cross_entropy_and_the_weighted_pull_of_the_neighbours(data):
    context, seen = data
    recipe = LdlAlsg(LdlAlsgSettings(neighbour_weight=0.4))
    split = recipe.partition(seen, context, recipe.start_memory(context)), None
    (work,) = recipe.epoch(3, context, split)
    network = make_network(recipe, CLASSES).eval()
    step = make_step(work, [network], {"all": [8, 2, 50]})
    entropy, pull = work.objective(step)
    logits = network(step.batches["all"].views[0])
    torch.testing.assert_close(
        entropy.values,
        functional.cross_entropy(logits, context.targets[[8, 2, 50]], reduction="none"),
    )
    means = torch.from_numpy(split[0].evidence["neighbour_distribution"][[8, 2, 50]])
    expected = functional.kl_div(logits.log_softmax(1), means, reduction="none").sum(1)
    torch.testing.assert_close(pull.values, expected)
    assert (entropy.weight, pull.weight) == (1.0, 0.4)


def test_warm_up_is_cross_entropy_and_relabelling_takes_the_prediction(data):
    context, seen = data
    recipe = LdlAlsg(LdlAlsgSettings())
    assert recipe.warm_up(context)[0].kind == "cross_entropy"
    found = recipe.partition(seen, context, recipe.start_memory(context))
    relabelled = recipe.relabel(found, context.observed)
    np.testing.assert_array_equal(relabelled.label, seen.logits[0].argmax(axis=1))
