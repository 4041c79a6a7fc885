"""Draws of RandAugment and AutoAugment against torchvision's tables, and their place in order."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import stats

from ferclean.config.training import AugmentSettings, TrainingSettings
from ferclean.train.augment import apply_augmentation, augment, draw_augmentation
from ferclean.train.picture_operations import OPERATIONS, apply_operations
from ferclean.train.policies import (
    PolicyDraw,
    apply_policy,
    draw_policy,
    learned_pairs,
    strengths,
)

SIGNED = {"ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"} | {
    "Brightness", "Color", "Contrast", "Sharpness",
}  # fmt: skip
POLICIES = ("randaugment", "autoaugment", "autoaugment_imagenet")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(batch=4000, seed=0, **keys):
    chosen = AugmentSettings(**keys)
    return draw_policy(batch, height=48, width=40, settings=chosen, generator=generator(seed))


def random_pictures(batch=12, channels=3, size=16):
    values = np.random.default_rng(0).integers(0, 256, (batch, channels, size, size))
    return torch.from_numpy(values.astype(np.uint8))


@pytest.mark.parametrize(("bins", "policy"), [(31, "RandAugment"), (10, "AutoAugment")])
def test_strengths_are_torchvisions(bins, policy):
    transforms = pytest.importorskip("torchvision.transforms")
    space = getattr(transforms, policy)()._augmentation_space(bins, (48, 40))
    ours = strengths(bins, 48, 40)
    for name, (values, signed) in space.items():
        theirs = values.float() if values.ndim else values.float().expand(bins)
        theirs = theirs.trunc() if name.startswith("Translate") else theirs  # int(magnitude)
        assert torch.equal(ours[OPERATIONS.index(name)], theirs), name
        assert signed == (name in SIGNED)


def test_randaugment_draws_each_operation_equally_often_and_both_signs():
    found = draw(batch=10_000, policy="randaugment", operations=3, magnitude=9)
    assert found.kinds.shape == found.values.shape == (3, 10_000)
    counts = torch.bincount(found.kinds.flatten()).numpy()
    assert len(counts) == len(OPERATIONS) - 1  # no inversion
    assert stats.chisquare(counts).pvalue > 1e-3
    expected = strengths(31, 48, 40)[:, 9]
    for kind, name in enumerate(OPERATIONS[:-1]):
        values = found.values[found.kinds == kind]
        assert torch.equal(values.abs(), expected[kind].expand(len(values)))
        if name in SIGNED:
            assert stats.binomtest(int((values < 0).sum()), len(values), 0.5).pvalue > 1e-4
        else:
            assert (values >= 0).all()


def test_magnitude_0_changes_nothing_but_contrast_stretching():
    found = draw(batch=12, policy="randaugment", operations=2, magnitude=0)
    stretched = torch.isin(
        found.kinds, torch.tensor([OPERATIONS.index(n) for n in ("AutoContrast", "Equalize")])
    )
    solarized = found.kinds == OPERATIONS.index("Solarize")  # of 255 itself
    pictures = random_pictures().clamp(0, 254)
    same = (apply_policy(pictures, found, fill=0) == pictures).flatten(1).all(dim=1)
    assert same[~(stretched | solarized).any(dim=0)].all()


@pytest.mark.parametrize("policy", POLICIES[1:])
def test_autoaugment_draws_torchvisions_pairs_with_their_chances(policy):
    transforms = pytest.importorskip("torchvision.transforms")
    name = {"autoaugment": "CIFAR10", "autoaugment_imagenet": "IMAGENET"}[policy]
    module = transforms.AutoAugment(transforms.AutoAugmentPolicy[name])
    space = module._augmentation_space(10, (48, 40))
    batch = 20_000
    found = draw(batch=batch, policy=policy)
    expected = {}  # chance of each (operation, strength) at each of the two places
    for pair in module.policies:
        for place, (kind, chance, level) in enumerate(pair):
            value = 0.0 if level is None else abs(float(space[kind][0][level]))
            value = float(int(value)) if kind.startswith("Translate") else value
            for sign in (1, -1) if kind in SIGNED else (1,):
                share = chance / len(module.policies) / (2 if kind in SIGNED else 1)
                key = (place, kind, round(sign * value, 3) + 0.0)
                expected[key] = expected.get(key, 0.0) + share
    for (place, kind, value), share in expected.items():
        chosen = found.kinds[place] == OPERATIONS.index(kind)
        count = int((chosen & ((found.values[place] - value).abs() < 1e-2)).sum())
        assert abs(count - batch * share) <= 5 * np.sqrt(batch * share) + 1e-9, (place, kind)
    applied = (found.kinds > 0).float().mean(dim=1)
    wanted = [np.mean([pair[place][1] for pair in module.policies]) for place in (0, 1)]
    np.testing.assert_allclose(applied, wanted, atol=0.02)
    assert [len(part) for part in learned_pairs(policy)] == [25, 25, 25]


@pytest.mark.parametrize("policy", POLICIES)
def test_draws_follow_their_seed(policy):
    first, same, other = (draw(batch=50, seed=seed, policy=policy) for seed in (3, 3, 4))
    assert torch.equal(first.kinds, same.kinds) and torch.equal(first.values, same.values)
    assert not torch.equal(first.kinds, other.kinds)


def test_operations_are_applied_one_after_the_other():
    pictures = random_pictures(3)
    invert, solarize = OPERATIONS.index("Invert"), OPERATIONS.index("Solarize")
    kinds = torch.tensor([[invert] * 3, [solarize] * 3])
    values = torch.tensor([[0.0] * 3, [100.0] * 3])
    expected = apply_operations(
        apply_operations(pictures, kinds[0], values[0], fill=0), kinds[1], values[1], fill=0
    )
    assert torch.equal(apply_policy(pictures, PolicyDraw(kinds, values), fill=0), expected)
    backwards = PolicyDraw(kinds.flip(0), values.flip(0))
    assert not torch.equal(apply_policy(pictures, backwards, fill=0), expected)


def test_float_pictures_are_rounded_to_levels():
    pictures, found = random_pictures(), draw(batch=12, policy="randaugment")
    result = apply_policy(pictures.float() + 0.3, found, fill=5)
    assert result.dtype == torch.float32
    assert torch.equal(result, apply_policy(pictures, found, fill=5).float())


def test_the_policy_stands_between_mirror_and_erasing():
    chosen = AugmentSettings(flip=True, shift=2, erase=1.0, policy="autoaugment")
    pictures = random_pictures(40)
    draws = draw_augmentation(40, height=16, width=16, settings=chosen, generator=generator())
    moved = apply_augmentation(pictures, dataclasses.replace(draws, policy=None, box=None))
    changed = apply_policy(moved, draws.policy, fill=9)
    only_erased = dataclasses.replace(draws, corner=None, flip=None, policy=None)
    expected = apply_augmentation(changed, only_erased, fill=9)
    result = apply_augmentation(pictures, draws, fill=9)
    assert torch.equal(result, expected) and not torch.equal(result, changed)
    drawn = augment(pictures, settings=chosen, generator=generator(), fill=9)
    assert torch.equal(drawn, result)


def test_without_a_policy_the_other_draws_are_what_they_were():
    keys = dict(height=16, width=16, generator=generator(), settings=AugmentSettings(erase=0.5))
    assert draw_augmentation(8, **keys).policy is None


def test_strong_views_take_randaugment_with_the_papers_two_operations_by_default():
    strong = TrainingSettings().strong_augment
    assert (strong.policy, strong.operations, strong.magnitude) == ("randaugment", 2, 9)
    assert TrainingSettings().augment.policy == "none"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("policy", POLICIES)
def test_gpu_does_what_the_draws_say(policy):
    pictures, found = random_pictures(64, size=32), draw(batch=64, policy=policy)
    expected = apply_policy(pictures, found, fill=9)
    on_gpu = PolicyDraw(found.kinds.cuda(), found.values.cuda())
    torch.use_deterministic_algorithms(True)
    try:
        result = apply_policy(pictures.cuda(), on_gpu, fill=9).cpu()
    finally:
        torch.use_deterministic_algorithms(False)
    off = (result.int() - expected.int()).abs()
    assert (off > 0).float().mean() < 1e-2  # last bits of blends
