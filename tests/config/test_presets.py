"""Presets hold the constants of their sources."""

from __future__ import annotations

import re

import pytest

from ferclean.config.load import build_settings
from ferclean.config.presets import load_preset, merge, preset_names, preset_note
from ferclean.config.reference import defaults
from ferclean.config.runs import runs_of
from ferclean.datasets.registry import PUBLISHED, published_facts
from ferclean.errors import FercleanError

# Epochs and warm-up epochs, lr, milestones, weight decay, alpha, recalibration period and B of
# SMR's scripts (methods' table in its code), each data set's.
SMR_TABLE = {
    "cifar10_": (300, 10, 0.02, (150,), 5e-4, 4.0, 30, 128),
    "cifar100_": (300, 30, 0.02, (150,), 5e-4, 4.0, 30, 128),
    "animal10n": (200, 30, 0.01, (80, 140), 1e-3, 4.0, 15, 128),
    "webvision": (120, 1, 0.01, (40, 80), 5e-4, 0.5, 15, 32),
    "clothing1m": (80, 1, 0.002, (40,), 1e-3, 0.5, 10, 32),
}
# lambda_u of SMR's README where it gives one, of DivideMix's table 7 elsewhere.
UNLABELLED_WEIGHT = {
    "smr_cifar10_sym20": 0, "smr_cifar10_sym50": 25, "smr_cifar10_sym80": 25,
    "smr_cifar10_sym90": 50, "smr_cifar10_asym40": 0,
    "smr_cifar100_sym20": 25, "smr_cifar100_sym50": 150, "smr_cifar100_sym80": 150,
    "smr_cifar100_sym90": 150,
    "smr_animal10n": 0, "smr_webvision": 0, "smr_clothing1m": 0,
}  # fmt: skip
SMR_PRESETS = sorted(UNLABELLED_WEIGHT)


# Presets of this project itself; all others name the paper that their numbers come from.
OUR_OWN = ("fer", "audit")


def settings_of_preset(name):
    return build_settings(load_preset(name))


# The published experiments of the other methods: method and what their preset runs it on.
OTHERS = {
    "resup": ("rafdb", "ferplus", "affectnet"),
    "sce_ald": ("rafdb", "ferplus", "affectnet", "rafdb_table2_sym10", "rafdb_table2_sym20",
                "rafdb_table2_sym30"),
    "smp": ("clothing1m", "food101n"),
    "sampling_softmax": ("ferplus",),
    "dividemix": (*(f"cifar{c}_sym{r}" for c in (10, 100) for r in (20, 50, 80, 90)),
                  "cifar10_asym40", "clothing1m", "webvision"),
    "unicon": tuple(f"cifar10_sym{r}" for r in (20, 50, 80, 90)),
    "ssr": (*(f"cifar10_sym{r}" for r in (20, 50, 80, 90)), "animal10n"),
    "elr": ("cifar10_sym40",),
    "scn": ("rafdb", "ferplus", "affectnet"),
    "rul": ("rafdb", "ferplus", "affectnet"),
    "eac": ("rafdb", "ferplus", "affectnet"),
    "dmue": ("rafdb",),
    "la_net": ("rafdb", "ferplus", "affectnet"),
    "co_teaching": ("cifar10_sym20", "cifar10_sym50"),
    "ldl_alsg": ("rafdb", "affectnet"),
    "ltnet": ("rafdb", "affectnet"),
    "confident_learning": ("cifar10_asym20", "cifar10_asym40"),
}  # fmt: skip


def test_the_presets_are_these():
    others = [f"{method}_{rest}" for method, rests in OTHERS.items() for rest in rests]
    assert preset_names() == sorted([*OUR_OWN, *SMR_PRESETS, *others])


# Epochs with those of the warm-up, by method, or by preset where data sets differ.
EPOCHS = {
    "resup": 30, "sce_ald": 40, "smp_clothing1m": 15, "smp_food101n": 30, "sampling_softmax": 30,
    "dividemix": 300, "dividemix_clothing1m": 80, "dividemix_webvision": 80, "unicon": 350,
    "ssr": 300, "ssr_animal10n": 150, "elr": 120, "scn": 70, "rul": 60, "eac": 60, "dmue": 36,
    "la_net": 80, "co_teaching": 200, "ldl_alsg": 30, "ltnet": 30, "confident_learning": 700,
}  # fmt: skip


@pytest.mark.parametrize("method", OTHERS)
def test_a_preset_runs_its_method_as_published(method):
    for rest in OTHERS[method]:
        settings = settings_of_preset(f"{method}_{rest}")
        assert settings.grid.methods == (method,)
        name = f"{method}_{rest}" if f"{method}_{rest}" in EPOCHS else method
        assert settings.training.total_epochs == EPOCHS[name]
        assert settings.data.validation_fraction == 0


def test_co_teaching_knows_the_noise_rate_and_judges_are_trained_as_long_as_the_last_network():
    for rate in (20, 50):
        settings = settings_of_preset(f"co_teaching_cifar10_sym{rate}")
        assert settings.grid.rates == (settings.methods.co_teaching.noise_rate,) == (rate / 100,)
    training = settings_of_preset("confident_learning_cifar10_asym40").training
    assert training.warm_up_epochs == training.epochs_per_round * training.rounds


def test_constants_of_the_five_systems():
    resup = settings_of_preset("resup_rafdb").training
    assert (resup.batch_size, resup.warm_up_epochs) == (96, 1)
    assert (resup.optimizer.name, resup.optimizer.learning_rate) == ("adam", 2e-4)
    assert resup.optimizer.milestones == (10, 20)
    betas = {rate: settings_of_preset(f"sce_ald_rafdb_table2_sym{rate}").methods.sce_ald.beta
             for rate in (10, 20, 30)}  # fmt: skip
    assert betas == {10: 0.5, 20: 0.4, 30: 0.2}
    stated = settings_of_preset("sce_ald_rafdb")
    assert stated.methods.sce_ald.beta == 0.7 and stated.training.warm_up_epochs == 9
    assert (stated.training.batch_size, stated.training.optimizer.learning_rate) == (32, 1e-4)
    smp = settings_of_preset("smp_clothing1m")
    assert smp.training.total_epochs == 15 and smp.training.optimizer.milestones == (5, 10)
    assert (smp.methods.smp.samples, smp.methods.smp.prototypes_per_class) == (1280, 8)
    weights = {name: settings_of_preset(name).methods.dividemix.unlabelled_weight
               for name in preset_names() if name.startswith("dividemix_cifar")}  # fmt: skip
    for name, weight in weights.items():
        assert weight == UNLABELLED_WEIGHT[name.replace("dividemix", "smr")]


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_complete_valid_and_names_its_source(name):
    values = load_preset(name)
    assert {section: set(keys) for section, keys in values.items()} == {
        section: set(keys) for section, keys in defaults().items()
    }
    assert runs_of(build_settings(values))
    assert len(preset_note(name)) > 60
    assert name in OUR_OWN or re.search(r"Source: .*(20\d\d|arXiv)", preset_note(name))


@pytest.mark.parametrize("name", SMR_PRESETS)
def test_constants_are_those_of_the_source(name):
    settings = settings_of_preset(name)
    trainer, optimizer, smr = settings.training, settings.training.optimizer, settings.methods.smr
    row = next(row for part, row in SMR_TABLE.items() if name.startswith(f"smr_{part}"))
    epochs = trainer.warm_up_epochs + trainer.rounds * trainer.epochs_per_round
    assert row == (
        epochs, trainer.warm_up_epochs, optimizer.learning_rate, optimizer.milestones,
        optimizer.weight_decay, smr.alpha, smr.recalibration_period, smr.labelled_batch_size,
    )  # fmt: skip
    assert trainer.batch_size == 2 * smr.labelled_batch_size
    assert (optimizer.name, optimizer.momentum, optimizer.schedule) == ("sgd", 0.9, "step")
    assert (optimizer.gamma, smr.temperature, smr.ramp_up_epochs) == (0.1, 0.5, 16)
    assert smr.unlabelled_weight == UNLABELLED_WEIGHT[name]


@pytest.mark.parametrize("name", SMR_PRESETS)
def test_the_most_noisy_settings_are_treated_as_published(name):
    smr = settings_of_preset(name).methods.smr
    expected = (0.6, 5) if name.endswith("90") else (0.5, 1)
    assert (smr.clean_threshold, smr.loss_history) == expected


@pytest.mark.parametrize("name", [name for name in SMR_PRESETS if "cifar" in name])
def test_cifar_noise_is_the_published_protocol(name):
    settings = settings_of_preset(name)
    kind = "asymmetric" if "asym" in name else "symmetric_inclusive"
    assert settings.grid.noise == (kind,)
    assert settings.grid.rates == (int(name[-2:]) / 100,)
    assert len(settings.data.classes) == (100 if "cifar100" in name else 10)
    if kind == "asymmetric":
        assert set(settings.noise.class_map()) <= set(settings.data.classes)
        assert set(settings.noise.class_map().values()) <= set(settings.data.classes)


@pytest.mark.parametrize("name", ["smr_animal10n", "smr_webvision", "smr_clothing1m"])
def test_real_noise_is_left_as_it_is(name):
    assert settings_of_preset(name).grid.noise == ("none",)


def test_an_unknown_preset_is_named():
    for call in (load_preset, preset_note):
        with pytest.raises(FercleanError, match=r"unknown preset 'ferr'; did you mean 'fer'\?"):
            call("ferr")
    with pytest.raises(FercleanError, match="unknown preset"):
        load_preset("_smr_cifar10")
    with pytest.raises(FercleanError, match="unknown preset"):
        load_preset("../fields")


def test_merge_goes_into_mappings_and_replaces_the_rest():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 3}
    merged = merge(base, {"a": {"c": [9]}, "d": {"e": 4}, "f": 5})
    assert merged == {"a": {"b": 1, "c": [9]}, "d": {"e": 4}, "f": 5}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 3}


@pytest.mark.parametrize("name", preset_names())
def test_sets_whose_raw_faces_would_not_fit_into_memory_are_compressed(name):
    settings = settings_of_preset(name)
    if settings.data.source not in PUBLISHED:
        return
    rows = sum(published_facts(settings.data.source).form_of(settings.data).rows.values())
    raw = rows * settings.align.size**2 * (3 if settings.align.color == "rgb" else 1)
    assert (settings.align.pack == "raw") == (raw < 4 * 2**30), raw / 2**30
