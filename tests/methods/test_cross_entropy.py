import numpy as np
import torch

from ferclean.config.methods.controls import CrossEntropyEnsembleSettings, CrossEntropySettings
from ferclean.config.training import TrainingSettings
from ferclean.methods.base import Context, softmax
from ferclean.methods.cross_entropy import CrossEntropy, CrossEntropyEnsemble
from ferclean.partition.scores import margin_score
from ferclean.train.observe import Observation


def make_context(observed):
    return Context(observed, 3, 0, TrainingSettings(), torch.device("cpu"))


def test_every_epoch_is_the_same_pass_over_all_rows():
    recipe, context = CrossEntropy(CrossEntropySettings()), make_context(np.arange(9) % 3)
    for (work,) in (recipe.warm_up(context), recipe.epoch(7, context, None)):
        assert work.trains == (0,) and work.streams[0].rows.tolist() == list(range(9))
    assert not recipe.needs_partition(7, context)


def test_its_cut_off_is_argmax_and_its_ranking_the_margin():
    random = np.random.default_rng(0)
    observed = random.integers(3, size=50)
    logits = random.normal(size=(1, 50, 3)).astype(np.float32) * 2
    recipe = CrossEntropy(CrossEntropySettings())
    found = recipe.partition(Observation(logits), make_context(observed), {})
    wrong = logits[0].argmax(axis=1) != observed
    assert ((found.clean_probability[0] < 0.5) == wrong).all()
    margin = margin_score(softmax(logits)[0], observed)
    np.testing.assert_allclose(found.score[0], margin, atol=1e-6)
    assert (np.argsort(found.clean_probability[0]) == np.argsort(found.score[0])).all()
    relabelled = recipe.relabel(found, observed)
    assert (relabelled.label == logits[0].argmax(axis=1)).all()
    assert ((relabelled.action == "relabel") == wrong).all()


def test_an_ensemble_trains_each_network_alone_and_predicts_their_mean():
    recipe = CrossEntropyEnsemble(CrossEntropyEnsembleSettings(networks=3))
    context = make_context(np.arange(9) % 3)
    assert recipe.networks == 3 and CrossEntropyEnsembleSettings().networks == 2
    for passes in (recipe.warm_up(context), recipe.epoch(7, context, None)):
        assert [work.trains for work in passes] == [(0,), (1,), (2,)]
        assert all(work.streams[0].rows.tolist() == list(range(9)) for work in passes)
    assert not recipe.needs_partition(7, context)
    logits = np.random.default_rng(0).normal(size=(3, 9, 3)).astype(np.float32) * 2
    found = recipe.partition(Observation(logits), context, {})
    expected = softmax(logits.mean(axis=0))
    np.testing.assert_allclose(recipe.predict(Observation(logits), {}), expected, atol=1e-6)
    margin = margin_score(expected, context.observed)
    np.testing.assert_allclose(found.score[0], margin, atol=1e-6)


def test_softmax_equals_a_naive_loop_and_survives_large_logits():
    logits = np.array([[[1000.0, 0.0, -1000.0], [0.5, 0.5, 0.5]]], dtype=np.float32)
    np.testing.assert_allclose(softmax(logits)[0], [[1, 0, 0], [1 / 3] * 3], atol=1e-6)
