import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.losses.importance import cured_labels, low_importance, rank_regularisation


def draw(seed, rows=9, classes=4):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, classes, generator=generator) * 3
    labels = torch.randint(classes, (rows,), generator=generator)
    return torch.rand(rows, generator=generator), logits, labels


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([0.0, 0.3, 0.7, 1.0]))
def test_the_high_group_holds_the_share_of_largest_importance(seed, rows, share):
    importance = draw(seed, rows)[0]
    low = low_importance(importance, share)
    high = sorted(range(rows), key=lambda i: -importance[i].item())[: int(share * rows + 1e-9)]
    assert [i for i in range(rows) if not low[i]] == sorted(high)


def test_of_equal_importances_the_first_are_high():
    assert low_importance(torch.full((10,), 0.5), 0.7).tolist() == [False] * 7 + [True] * 3


def test_a_share_whose_product_is_rounded_down_loses_no_row():
    assert 0.29 * 100 < 29
    assert low_importance(draw(0, rows=100)[0], 0.29).sum() == 71


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_regularisation_is_the_missing_margin_between_the_groups_means(seed, rows):
    importance = draw(seed, rows)[0]
    order = sorted(importance.tolist(), reverse=True)
    tops = int(0.7 * rows + 1e-9)
    high, low = order[:tops], order[tops:]
    naive = max(0.0, 0.4 - (sum(high) / len(high) - sum(low) / len(low)))
    found = rank_regularisation(importance, low_importance(importance, 0.7), 0.4)
    assert found.shape == (1,) and found.item() == pytest.approx(naive, abs=1e-5)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_empty_group_costs_nothing_and_gives_no_gradient(share):
    importance = torch.rand(5, requires_grad=True)
    found = rank_regularisation(importance, low_importance(importance, share), 0.15)
    found.sum().backward()
    assert found.item() == 0 and (importance.grad == 0).all()


def test_the_gradient_drives_the_groups_apart():
    importance = torch.tensor([0.5, 0.52, 0.51, 0.5], requires_grad=True)
    low = low_importance(importance, 0.5)
    rank_regularisation(importance, low, 0.15).sum().backward()
    assert (importance.grad[low] > 0).all() and (importance.grad[~low] < 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_labels_change_where_another_class_leads_by_the_margin(seed, margin):
    importance, logits, labels = draw(seed)
    allowed = importance > 0.4
    found = cured_labels(logits, labels, allowed, margin)
    for i, row in enumerate(logits.softmax(1)):
        change = allowed[i] and (row.max() - row[labels[i]]) > margin
        assert found[i] == (row.argmax() if change else labels[i])
    assert found.dtype == torch.int64


def test_a_tie_keeps_the_label_even_without_a_margin():
    tied = torch.tensor([[1.0, 1.0, 0.0]])
    found = cured_labels(tied, torch.tensor([1]), torch.tensor([True]), 0.0)
    assert found.tolist() == [1]
