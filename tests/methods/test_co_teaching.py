import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from ferclean.config.methods.co_teaching import CoTeachingSettings
from ferclean.losses.classification import cross_entropy
from ferclean.methods.co_teaching import CoTeaching, Exchange, kept_rows
from ferclean.partition.mixtures import fit_two_gaussians, scale_to_unit
from ferclean.partition.scores import cross_entropy_score
from ferclean.train.observe import Observation
from ferclean.train.seeds import derive_seed
from fixtures.recipe_steps import make_context, make_network, make_step

CLASSES, ROWS = 4, 200


@pytest.fixture
def seen():
    random = np.random.default_rng(0)
    observed = random.integers(CLASSES, size=ROWS)
    wrong = random.random(ROWS) < 0.3
    logits = random.normal(size=(2, ROWS, CLASSES)).astype(np.float32)
    logits[:, np.arange(ROWS), np.where(wrong, (observed + 1) % CLASSES, observed)] += 6
    return observed, wrong, Observation(logits)


def test_published_constants_are_the_defaults():
    assert CoTeachingSettings() == CoTeachingSettings(noise_rate="auto", gradual_epochs=10)


def test_the_share_forgotten_grows_to_the_rate():
    objective = Exchange(torch.zeros(1), 0.4, 10)
    shares = [objective.forgotten_share(t) for t in (0, 1, 5, 10, 200)]
    assert shares == pytest.approx([0, 0.04, 0.2, 0.4, 0.4])


@pytest.mark.parametrize(
    ("batch", "forgotten", "expected"),
    [(10, 0.8, 2), (10, 0.9, 1), (128, 0.2, 102), (5, 1.0, 1), (1, 0.5, 1), (7, 0.0, 7)],
)
def test_kept_rows_are_rounded_down_but_never_none(batch, forgotten, expected):
    assert kept_rows(batch, forgotten) == expected


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5])
def test_each_network_learns_from_the_rows_of_small_loss_of_the_other(rate):
    observed = np.arange(16) % CLASSES
    recipe = CoTeaching(CoTeachingSettings(noise_rate=rate, gradual_epochs=1))
    (work,) = recipe.warm_up(make_context(observed, CLASSES))
    networks = [make_network(recipe, CLASSES).eval() for _ in range(2)]
    with torch.no_grad():
        networks[1].classifier.weight.mul_(-1)  # another ranking
    step = make_step(work, networks, {"all": list(range(16))})
    terms = work.objective(step)
    with torch.no_grad():
        losses = [
            cross_entropy(net(step.batches["all"].views[0]), torch.from_numpy(observed))
            for net in networks
        ]
    count = int((1 - rate) * 16)
    for net, term in enumerate(terms):
        chosen = sorted(range(16), key=lambda i: float(losses[1 - net][i]))[:count]
        # The mean of the kept losses: dividing it by their number again is the known defect.
        expected = sum(float(losses[net][i]) for i in chosen) / count
        assert float(term.values.mean().detach()) == pytest.approx(expected, rel=1e-5)
        assert term.weight == 1.0 and len(term.values) == count
    terms[0].values.mean().backward()
    assert all(p.grad is None for p in networks[1].parameters())


@pytest.mark.parametrize(
    ("epoch", "kept"), [(0.0, 20), (0.9, 20), (1.0, 19), (4.9, 16), (5.0, 15), (10.0, 10), (37, 10)]
)
def test_the_share_forgotten_follows_the_epoch_of_the_step(epoch, kept):
    """``R(t) = r min(t / 10, 1)`` of 20 rows with r one half, after t whole epochs."""
    observed = np.arange(20) % CLASSES
    recipe = CoTeaching(CoTeachingSettings(noise_rate=0.5, gradual_epochs=10))
    (work,) = recipe.epoch(3, make_context(observed, CLASSES), None)
    networks = [make_network(recipe, CLASSES).eval() for _ in range(2)]
    step = make_step(work, networks, {"all": list(range(20))}, epoch=epoch)
    assert [len(term.values) for term in work.objective(step)] == [kept, kept]


def test_one_pass_trains_both_networks_on_the_same_batches(seen):
    context = make_context(seen[0], CLASSES)
    known = CoTeaching(CoTeachingSettings(noise_rate=0.2))
    for work in (*known.warm_up(context), *known.epoch(7, context, None)):
        assert work.trains == (0, 1) and work.objective.rate == 0.2
        (stream,) = work.streams
        assert len(stream.rows) == ROWS and stream.batch_size == context.training.batch_size
    assert not known.needs_partition(7, context)


def test_auto_takes_the_rate_from_the_mixtures_of_the_partition(seen):
    observed, wrong, observation = seen
    recipe, context = CoTeaching(CoTeachingSettings()), make_context(seen[0], CLASSES)
    found = recipe.partition(observation, context, {})
    posteriors = []
    for net, logits in enumerate(observation.logits):
        loss = scale_to_unit(cross_entropy_score(logits, observed)).astype(np.float32)
        fit = fit_two_gaussians(loss, seed=derive_seed(0, "mixture", net))
        posteriors.append(fit.clean_probability.astype(np.float64))
        assert found.parameters[f"net_{net}"] == fit.parameters
    assert found.threshold == pytest.approx(1 - np.mean(posteriors))
    assert found.threshold == pytest.approx(wrong.mean(), abs=0.05)
    assert recipe.needs_partition(7, context)
    (work,) = recipe.epoch(7, context, (found, recipe.relabel(found, observed)))
    assert work.objective.rate == found.threshold
    assert recipe.warm_up(context)[0].objective.rate == 0.0


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.3, 1.0])
def test_the_cut_off_is_the_share_of_largest_loss(seen, rate):
    observed, _, observation = seen
    recipe = CoTeaching(CoTeachingSettings(noise_rate=rate))
    found = recipe.partition(observation, make_context(observed, CLASSES), {})
    for score, clean in zip(found.score, found.clean_probability, strict=True):
        called_wrong = clean <= found.threshold
        assert called_wrong.sum() == round(rate * ROWS)
        np.testing.assert_array_equal(rankdata(-score), rankdata(clean))
    assert found.parameters == {}


def test_the_label_table_shows_the_mean_prediction(seen):
    observed, wrong, observation = seen
    recipe = CoTeaching(CoTeachingSettings(noise_rate=0.3))
    found = recipe.partition(observation, make_context(observed, CLASSES), {})
    labels = recipe.relabel(found, observed)
    np.testing.assert_allclose(labels.distribution, found.probabilities.mean(axis=0), atol=1e-6)
    assert (labels.label == np.where(wrong, (observed + 1) % CLASSES, observed)).mean() > 0.95


def test_equal_losses_forget_nothing_and_a_loss_that_is_no_number_is_named():
    observed = np.array([0, 1, 2, 0])
    recipe, context = CoTeaching(CoTeachingSettings()), make_context(observed, CLASSES)
    flat = np.zeros((2, 4, CLASSES), dtype=np.float32)
    found = recipe.partition(Observation(flat), context, {})
    assert found.threshold == 0.0 and (found.clean_probability == 0.5).all()
    flat[0, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        recipe.partition(Observation(flat), context, {})
