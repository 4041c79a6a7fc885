import torch
from hypothesis import given
from hypothesis import strategies as st

from ferclean.train.seeds import derive_seed, numpy_stream, torch_stream


@given(st.integers(0, 2**31), st.text(max_size=8), st.integers(0, 1000))
def test_seed_depends_on_every_name(seed, name, epoch):
    derived = derive_seed(seed, name, epoch)
    assert 0 <= derived < 2**63
    assert derived == derive_seed(seed, name, epoch)
    assert derived not in (derive_seed(seed + 1, name, epoch), derive_seed(seed, name, epoch + 1))
    assert derived != derive_seed(seed, name + "x", epoch)


def test_streams_repeat_and_leave_the_global_state_alone():
    before = torch.get_rng_state()
    first = torch.rand(3, generator=torch_stream(torch.device("cpu"), 1, "augment", 4))
    again = torch.rand(3, generator=torch_stream(torch.device("cpu"), 1, "augment", 4))
    assert torch.equal(first, again)
    assert numpy_stream(1, "a").random() == numpy_stream(1, "a").random()
    assert torch.equal(before, torch.get_rng_state())
