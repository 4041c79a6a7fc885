import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.models.transition import TransitionMatrices, stochastic_rows


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_negative_entries_are_lifted_and_rows_divided_by_their_sums(seed):
    values = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(seed))
    found = stochastic_rows(values, 0.01)
    for a in range(2):
        for k in range(3):
            row = [0.01 if v < 0 else v for v in values[a, k].tolist()]
            assert found[a, k].tolist() == pytest.approx([v / sum(row) for v in row], rel=1e-4)


def test_a_row_of_zeros_becomes_uniform():
    assert stochastic_rows(torch.zeros(1, 4, 4), 0.01)[0, 2].tolist() == [0.25] * 4


def test_matrices_start_near_the_identity_and_every_annotator_has_one():
    found = TransitionMatrices(3, 4, diagonal=999.0, smallest=0.01)()
    assert found.shape == (3, 4, 4)
    assert found[2, 1, 1].item() == pytest.approx(999 / 999.03) and (found[0] == found[1]).all()


def test_steps_may_leave_the_simplex_but_no_use_of_the_matrices_does():
    layer = TransitionMatrices(1, 3, diagonal=999.0, smallest=0.01)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
    for _ in range(20):
        matrices = layer()
        assert (matrices >= 0).all()
        torch.testing.assert_close(matrices.sum(dim=2), torch.ones(1, 3))
        optimizer.zero_grad()
        (-matrices[0, 0, 1].log() - matrices[0, 1, 1].log()).backward()
        optimizer.step()
    final = layer()
    assert final[0, 0, 1] > 0.5 and final[0, 1, 1] > 0.9
