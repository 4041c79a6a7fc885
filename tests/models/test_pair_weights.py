import pytest
import torch

from ferclean.models.pair_weights import PairWeights


@pytest.mark.parametrize("width", [1, 2, 7])
def test_a_weight_is_that_of_its_own_pair(width):
    torch.manual_seed(0)
    pairs, vectors = PairWeights(width), torch.randn(4, width)
    found = pairs(vectors)
    for i in range(4):
        for j in range(4):
            pair = torch.cat([pairs.first(vectors[i]), pairs.second(vectors[j])])
            expected = torch.sigmoid(pairs.score(pair))[0]
            torch.testing.assert_close(found[i, j], expected, atol=1e-6, rtol=1e-5)


def test_weights_depend_on_both_rows_and_on_their_order():
    torch.manual_seed(0)
    found = PairWeights(6)(torch.randn(5, 6))
    assert ((found > 0) & (found < 1)).all()
    assert found.std(dim=0).min() > 0 and found.std(dim=1).min() > 0
    assert not torch.allclose(found, found.T)
