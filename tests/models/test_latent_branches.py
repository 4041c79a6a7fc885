import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ferclean.models.latent_branches import (
    AuxiliaryBranches,
    PairwiseUncertainty,
    TargetBranch,
    class_likeness,
)


def test_every_branch_has_its_own_layers_and_knows_all_classes_but_one():
    branches, features = AuxiliaryBranches(6, 5, 3), torch.randn(4, 6)
    branches.train()(features)  # moves the statistics away from where they start
    embedded, logits = branches.eval()(features)
    linear, normalise, _, neck = branches.embed
    for c in range(3):
        part = slice(5 * c, 5 * c + 5)
        own = features @ linear.weight[part].T
        own = functional.batch_norm(
            own, normalise.running_mean[part], normalise.running_var[part]
        ).relu()
        own = functional.batch_norm(own, neck.running_mean[part], neck.running_var[part])
        torch.testing.assert_close(embedded[:, c], own)
        for k in range(3):
            expected = own @ branches.output[c, k] if k != c else torch.full((4,), -torch.inf)
            torch.testing.assert_close(logits[:, c, k], expected)


def test_the_target_branch_classifies_what_it_embeds():
    head, features = TargetBranch(6, 5, 3).eval(), torch.randn(4, 6)
    torch.testing.assert_close(head(features), head.embed(features) @ head.output.weight.T)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_likeness_is_the_scaled_mean_cosine_with_each_class(seed, rows):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, 4, generator=generator)
    labels = torch.randint(3, (rows,), generator=generator)
    found = class_likeness(features, labels, 3)
    for i in range(rows):
        means = {}
        for c in range(3):
            cosines = [
                float(functional.cosine_similarity(features[i], features[j], dim=0))
                for j in range(rows)
                if labels[j] == c
            ]
            if cosines:
                means[c] = sum(cosines) / len(cosines)
        low, high = min(means.values()), max(means.values())
        for c in range(3):
            scaled = (means[c] - low) / (high - low) if c in means and high > low else 0.0
            assert found[i, c].item() == pytest.approx(scaled, abs=1e-3)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_faces_all_alike_are_like_no_class_in_particular(labels):
    features = torch.ones(3, 4, requires_grad=True)
    likeness = class_likeness(features, torch.tensor(labels), 3)
    likeness.sum().backward()
    assert (likeness == 0).all() and features.grad.isfinite().all()


def test_the_score_is_a_factor_that_looks_at_likeness_and_label():
    pairwise, features = PairwiseUncertainty(3), torch.randn(5, 4)
    labels = torch.tensor([0, 1, 2, 1, 0])
    found = pairwise(features, labels)
    assert found.shape == (5, 1) and ((found > 0) & (found < 1)).all()
    seen = torch.cat([class_likeness(features, labels, 3), torch.eye(3)[labels]], dim=1)
    torch.testing.assert_close(found, torch.sigmoid(pairwise.score(seen)))
