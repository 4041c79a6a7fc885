import numpy as np
import pytest
import torch

from ferclean.losses.embedding import cosine_distance, reconstruction_error


def test_the_reconstruction_error_is_the_mean_square_of_each_picture():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(3, 2, 4, 4, generator=generator) for _ in range(2))
    naive = [float(((x - y) ** 2).mean()) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(reconstruction_error(a, b), naive, rtol=1e-6)


def test_the_cosine_distance_is_that_of_the_formula_and_blind_to_length():
    generator = torch.Generator().manual_seed(0)
    codes, words = (torch.randn(5, 3, generator=generator) for _ in range(2))
    naive = [
        1 - float(a @ b) / (float(a.norm()) * float(b.norm()))
        for a, b in zip(codes, words, strict=True)
    ]
    np.testing.assert_allclose(cosine_distance(codes, words), naive, atol=1e-6)
    np.testing.assert_allclose(
        cosine_distance(7 * codes, words), cosine_distance(codes, words), atol=1e-6
    )


@pytest.mark.parametrize(("scale", "distance"), [(1.0, 0.0), (-1.0, 2.0)])
def test_same_and_opposite_directions_are_the_ends(scale, distance):
    words = torch.tensor([[1.0, 2.0]])
    assert cosine_distance(scale * words, words).item() == pytest.approx(distance, abs=1e-6)


def test_low_precision_is_lifted():
    codes = torch.randn(2, 3).bfloat16()
    assert cosine_distance(codes, torch.randn(2, 3)).dtype == torch.float32
    pictures = torch.rand(2, 1, 4, 4).bfloat16()
    assert reconstruction_error(pictures, pictures).dtype == torch.float32
