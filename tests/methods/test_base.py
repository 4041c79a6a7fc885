"""What all recipes compute with."""

from __future__ import annotations

import numpy as np
import pytest

from ferclean.methods.base import softmax


@pytest.mark.parametrize("shape", [(1, 1), (300, 7), (2, 200, 7), (20, 1000), (0, 3)])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e30])
def test_softmax_has_the_bits_of_the_formula_in_double_precision(shape, scale):
    logits = (np.random.default_rng(0).standard_normal(shape) * scale).astype(np.float32)
    for values in (logits, logits[..., ::-1], np.asfortranarray(logits)):
        powers = np.exp(values.astype(np.float64) - values.max(axis=-1, keepdims=True))
        wanted = (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
        found = softmax(values)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found.view(np.int32), wanted.view(np.int32))
