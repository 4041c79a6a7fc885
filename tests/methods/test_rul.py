import numpy as np
import torch

from ferclean.config.methods.rul import RulSettings
from ferclean.config.training import OptimizerSettings
from ferclean.losses.relative_uncertainty import add_up_loss, mix_by_uncertainty
from ferclean.methods.rul import Rul
from ferclean.train.mixup import draw_partners
from ferclean.train.observe import Observation
from ferclean.train.schedule import build_optimizer
from fixtures.recipe_steps import make_context, make_heads, make_network, make_step

OBSERVED = np.arange(12) % 3
RECIPE = Rul(RulSettings())


def test_the_codes_constants_are_the_defaults():
    assert RulSettings() == RulSettings(width=64, dropout=0.4)
    head = make_heads(RECIPE, 3, 10)["classifier"]
    assert (head.output.in_features, head.mean[1].p) == (64, 0.4)


def test_faces_are_mixed_by_their_uncertainty_with_the_steps_own_permutation():
    context, network = make_context(OBSERVED, 3), make_network(RECIPE, 3).eval()
    for (work,) in (RECIPE.warm_up(context), RECIPE.epoch(9, context, None)):
        step = make_step(work, [network], {"all": [5, 0, 7, 2]}, seed=4)
        (term,) = work.objective(step)
        partners = draw_partners(4, torch.Generator().manual_seed(4))
        features = network.features(step.batches["all"].views[0])
        mean, uncertainty = (
            network.classifier.mean(features),
            network.heads["uncertainty"](features),
        )
        logits = network.classifier.output(mix_by_uncertainty(mean, uncertainty, partners))
        labels = torch.from_numpy(OBSERVED[[5, 0, 7, 2]])
        torch.testing.assert_close(term.values, add_up_loss(logits, labels, partners))
        term.values.mean().backward()
        branch = network.heads["uncertainty"].log_variance[2]
        assert branch.weight.grad.abs().sum() > 0


def test_the_last_layer_alone_learns_ten_times_as_fast():
    network = make_network(RECIPE, 3)
    optimizer = build_optimizer(network, OptimizerSettings(), RECIPE.learning_rate_factors)
    fast = [group["params"] for group in optimizer.param_groups if group["factor"] == 10.0]
    assert [id(p) for p in fast[0]] == [id(p) for p in network.classifier.output.parameters()]


def test_uncertainty_is_noted_beside_predictions():
    uncertainty = np.arange(12, dtype=np.float32)[None]
    seen = Observation(np.zeros((1, 12, 3), dtype=np.float32), {"uncertainty": uncertainty})
    np.testing.assert_array_equal(RECIPE.uncertainty(seen)["relative"], np.arange(12))
    assert RECIPE.outputs == ("uncertainty",)
    outputs = make_network(RECIPE, 3).eval().outputs(torch.randn(2, 1, 24, 24), RECIPE.outputs)
    assert outputs["uncertainty"].shape == (2,)
