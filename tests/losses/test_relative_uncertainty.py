import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ferclean.losses.relative_uncertainty import add_up_loss, mix_by_uncertainty


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_mixture_and_loss_row_by_row(seed, rows):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, 5, generator=generator)
    uncertainty = torch.rand(rows, generator=generator) + 0.01
    partners = torch.randperm(rows, generator=generator)
    labels = torch.randint(3, (rows,), generator=generator)
    mixed = mix_by_uncertainty(features, uncertainty, partners)
    logits = mixed[:, :3]
    losses = add_up_loss(logits, labels, partners)
    for i, j in enumerate(partners.tolist()):
        own, other = uncertainty[i], uncertainty[j]
        expected = (own * features[i] + other * features[j]) / (own + other)
        torch.testing.assert_close(mixed[i], expected)
        both = [functional.cross_entropy(logits[i], labels[k]) for k in (i, j)]
        torch.testing.assert_close(losses[i], sum(both) / 2)


def test_uncertainty_learns_from_the_mixture_alone():
    features, partners = torch.eye(2), torch.tensor([1, 0])
    uncertainty = torch.tensor([1.0, 1.0], requires_grad=True)
    mixed = mix_by_uncertainty(features, uncertainty, partners)
    # Row 0 is harder to recognise: its logits are smaller.
    logits = mixed * torch.tensor([0.5, 5.0])
    add_up_loss(logits, torch.tensor([0, 1]), partners).mean().backward()
    assert uncertainty.grad[0] < 0 < uncertainty.grad[1]
