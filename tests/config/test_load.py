"""Reading params.yaml and inline JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferclean.config.load import build_settings, load_raw, load_settings
from ferclean.config.sections import SECTIONS
from ferclean.errors import FercleanError


@pytest.fixture
def params(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "params.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_absent_sections_have_their_defaults(params):
    settings = load_settings(params("grid: {seeds: 4}"))
    assert settings.grid.seeds == (4,)
    assert settings.noise == SECTIONS["noise"]()


def test_a_step_gets_only_its_sections(params):
    settings = load_settings(params("noise: {}\nreport: {}"), ("noise",))
    assert settings.noise == SECTIONS["noise"]()
    with pytest.raises(FercleanError, match=r"section 'report' .* was not passed to this step"):
        _ = settings.report


def test_a_step_does_not_get_a_section_that_is_not_there(params):
    with pytest.raises(FercleanError, match=r"params\.yaml: section 'noise' is missing"):
        load_settings(params("report: {}"), ("noise",))


def test_inline_json_is_the_same_as_a_file(params):
    values = {"noise": {"instance_spread": 0.2}, "grid": {"rates": [0.1]}}
    from_file, from_json = (
        load_settings(p) for p in (params(json.dumps(values)), json.dumps(values))
    )
    assert from_file.noise == from_json.noise
    assert from_file.grid == from_json.grid


def test_one_key_of_the_strong_augmentation_leaves_the_others(params):
    strong = load_settings(params("training: {strong_augment: {flip: false}}")).training
    usual = SECTIONS["training"]()
    assert strong.strong_augment == dataclasses.replace(usual.strong_augment, flip=False)
    assert (strong.strong_augment.erase, strong.strong_augment.policy) == (0.5, "randaugment")
    assert strong.augment == usual.augment


def test_yaml_exponents_are_numbers(params):
    text = "training: {optimizer: {learning_rate: 1e-3}}"
    assert load_settings(params(text)).training.optimizer.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("grids: {}", r"params\.yaml: unknown section 'grids'; did you mean 'grid'\?"),
        ("5: {}", r"unknown section 5"),
        ("grid: {rate: 1}", r"unknown key in grid 'rate'; did you mean 'rates'\?"),
        ("grid: {methods: [smrr]}", r"unknown method in grid 'smrr'; did you mean 'smr'\?"),
        ("grid: {seeds: []}", r"grid\.seeds must not be empty"),
        ("data: {source: table}", r"data\.path is needed when data\.source is 'table'"),
        ("data: {classes: [a, a]}", r"data\.classes must hold at least two different names"),
        ("noise: {asymmetric_map: fre}", r"noise\.asymmetric_map 'fre'; did you mean 'fer'\?"),
        ("noise: {asymmetric_map: {}}", r"noise\.asymmetric_map must name at least one class pair"),
        (
            "training: {augment: {erase_area: [0.5, 0.1]}}",
            r"training\.augment\.erase_area must be \[smallest, largest\], found \[0\.5, 0\.1\]",
        ),
        ("methods: {eac: {erase_area: [0.5]}}", r"methods\.eac\.erase_area must be \[smallest"),
        ("grid: 3", r"grid must be a mapping of keys, found 3"),
        ("", r"expected a mapping of sections, found nothing"),
        ("- grid", r"expected a mapping of sections, found a list"),
        ("grid: {seeds: 1\nnoise: {}", r"params\.yaml: not valid YAML at line 2"),
        (
            "grid: {seeds: 1}\ngrid: {seeds: 2}",
            r"not valid YAML at line 2: key 'grid' stands twice",
        ),
        ("grid:\n  seeds: 1\n  seeds: 2", r"not valid YAML at line 3: key 'seeds' stands twice"),
        ("grid: 2020-99-99", r"not valid YAML: month must be in 1\.\.12"),
        (
            "grid: !!python/object/apply:os.getcwd []",
            r"not valid YAML at line 1: could not determine",
        ),
        ("? {a: 1}\n: 2", r"not valid YAML at line 1: found unhashable key"),
        ("? [a, b]\n: 2", r"not valid YAML at line 1: found unhashable key"),
        ("grid: \x07", r"not valid YAML"),
        (b"grid: \xff", r"params must be UTF-8 text"),
        ("[" * 5000, r"not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_sentence(params, content, message):
    with pytest.raises(FercleanError, match=message):
        load_settings(params(content))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"--params is not valid JSON"),
        (" {'grid': 1}", r"--params is not valid JSON"),
        ('{"grid": {}, "grid": {}}', r"--params: key 'grid' stands twice"),
        ('{"grid": {"seeds": 1, "seeds": 2}}', r"--params: key 'seeds' stands twice"),
        ('{"a":' * 100_000, r"--params is nested too deeply"),
        ('{"noise": {"instance_spread": NaN}}', r"noise\.instance_spread must be a finite number"),
    ],
)
def test_wrong_json_is_one_sentence(text, message):
    with pytest.raises(FercleanError, match=message):
        load_settings(text)


def test_a_wrong_path_is_one_sentence(tmp_path):
    with pytest.raises(FercleanError, match=r"params file not found: .*absent\.yaml"):
        load_raw(tmp_path / "absent.yaml")
    with pytest.raises(FercleanError, match=r"cannot read params file .*: Is a directory"):
        load_raw(tmp_path)


def test_merge_keys_still_work(params):
    text = "grid: &g {seeds: 1}\nnoise: {}\nreport:\n  <<: {gallery: 3}\n  title: x"
    settings = load_settings(params(text))
    assert (settings.report.gallery, settings.report.title) == (3, "x")


@given(
    st.dictionaries(st.sampled_from([*SECTIONS, "other"]), st.none() | st.integers() | st.just({}))
)
def test_any_mapping_is_built_or_refused_with_a_sentence(raw):
    try:
        settings = build_settings(raw)
    except FercleanError as error:
        assert str(error)
    else:
        assert settings.grid.methods
