import math

import pytest
import torch

from ferclean.losses.heteroscedastic import heteroscedastic_nll, sampled_log_softmax

B, K, T = 6, 4, 30


@pytest.fixture
def outputs():
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn((B, K), generator=generator, requires_grad=True)
    scale = (torch.rand((B, K), generator=generator) + 0.1).requires_grad_()
    return mean, scale


def draw(seed=1):
    return torch.Generator().manual_seed(seed)


def test_it_is_the_log_of_the_mean_of_softmaxes(outputs):
    mean, scale = outputs
    found = sampled_log_softmax(mean, scale, samples=T, generator=draw())
    noise = torch.randn((T, B, K), generator=draw())
    for row in range(B):
        draws = [torch.softmax(mean[row] + scale[row] * noise[t, row], 0) for t in range(T)]
        torch.testing.assert_close(found[row], torch.stack(draws).mean(0).log())


@pytest.mark.parametrize("chunk", [1, 7, 30, 100])
def test_chunks_change_rounding_only_in_values_and_gradients(outputs, chunk):
    mean, scale = outputs
    noise = torch.randn((T, B, K), generator=draw())
    whole = torch.softmax(mean + scale * noise, dim=2).mean(dim=0).log()
    found = sampled_log_softmax(mean, scale, samples=T, generator=draw(), chunk_samples=chunk)
    torch.testing.assert_close(found, whole)
    weights = torch.randn((B, K), generator=draw(2))
    expected = torch.autograd.grad((whole * weights).sum(), (mean, scale))
    torch.testing.assert_close(
        torch.autograd.grad((found * weights).sum(), (mean, scale)), expected
    )


def test_one_hot_targets_give_the_likelihood_of_kendall_and_gal(outputs):
    mean, scale = outputs
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    log_p = sampled_log_softmax(mean, scale, samples=T, generator=draw())
    noise = torch.randn((T, B, K), generator=draw())
    z = mean + scale * noise
    at_label = z[:, torch.arange(B), labels] - torch.logsumexp(z, dim=2)
    expected = -(torch.logsumexp(at_label, dim=0) - math.log(T))
    torch.testing.assert_close(heteroscedastic_nll(log_p, torch.eye(K)[labels]), expected)


def test_soft_targets_are_the_weighted_sum():
    log_p = torch.tensor([[0.5, 0.3, 0.2]]).log()
    found = heteroscedastic_nll(log_p, torch.tensor([[0.25, 0.0, 0.75]]))
    assert found.item() == pytest.approx(-(0.25 * math.log(0.5) + 0.75 * math.log(0.2)))


def test_without_noise_it_is_the_cross_entropy(outputs):
    mean, _ = outputs
    found = sampled_log_softmax(mean, torch.zeros(B, K), samples=5, generator=draw())
    torch.testing.assert_close(found, torch.log_softmax(mean, dim=1))


def test_noise_flattens_the_gradient_of_a_label_that_contradicts_the_mean():
    mean = torch.tensor([[8.0, 0.0]], requires_grad=True)
    gradients = []
    for sigma in (0.1, 20.0):
        scale = torch.full((1, 2), sigma)
        log_p = sampled_log_softmax(mean, scale, samples=2000, generator=draw())
        loss = heteroscedastic_nll(log_p, torch.tensor([[0.0, 1.0]])).sum()
        gradients.append(torch.autograd.grad(loss, mean)[0].abs().max().item())
    assert gradients[1] < gradients[0] / 5


def test_huge_logits_and_noise_stay_finite():
    mean = torch.tensor([[1e4, -1e4]], requires_grad=True)
    scale = torch.tensor([[1e3, 1e8]], requires_grad=True)
    log_p = sampled_log_softmax(mean, scale, samples=8, generator=draw())
    heteroscedastic_nll(log_p, torch.tensor([[0.0, 1.0]])).sum().backward()
    assert torch.isfinite(mean.grad).all() and torch.isfinite(scale.grad).all()


def test_the_generator_decides(outputs):
    first = sampled_log_softmax(*outputs, samples=T, generator=draw())
    assert torch.equal(first, sampled_log_softmax(*outputs, samples=T, generator=draw()))
    assert not torch.equal(first, sampled_log_softmax(*outputs, samples=T, generator=draw(2)))
