from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ferclean.errors import FercleanError
from ferclean.semantics.heat_map import draw_heat_map
from ferclean.semantics.similarity import keyed_vectors, nearest_classes, similarity_matrix
from ferclean.semantics.words import class_words

NAMES = ("one", "two", "three", "four")


def test_similarity_equals_naive_cosines():
    vectors = np.random.default_rng(0).normal(size=(4, 5))
    matrix = similarity_matrix(NAMES, vectors)
    for i, a in enumerate(vectors):
        for j, b in enumerate(vectors):
            expected = a @ b / np.sqrt((a @ a) * (b @ b))
            assert matrix[i, j] == pytest.approx(expected, abs=1e-12)
    assert (matrix == matrix.T).all()


def test_keyed_vectors_keep_float64_and_answer_by_class():
    vectors = np.random.default_rng(0).normal(size=(4, 5))
    keyed = keyed_vectors(NAMES, vectors)
    assert keyed["three"].tobytes() == vectors[2].tobytes()
    nearest = nearest_classes(NAMES, similarity_matrix(NAMES, vectors))
    assert {name: keyed.most_similar(name, topn=1)[0][0] for name in NAMES} == nearest


def test_no_nearest_class_without_a_single_one():
    assert set(nearest_classes(NAMES, np.eye(4)).values()) == {None}
    assert nearest_classes(("one",), np.eye(1)) == {"one": None}


def test_class_words():
    assert class_words(("a", "b"), {"b": "word"}) == {"a": "a", "b": "word"}
    with pytest.raises(FercleanError, match=r"class in semantics\.words 'c'"):
        class_words(("a", "b"), {"c": "word"})


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 7, 30])
def test_heat_map_is_a_picture_and_the_same_one_each_time(tmp_path, count):
    classes = [f"class {k}" for k in range(count)]
    matrix = similarity_matrix(classes, np.random.default_rng(0).normal(size=(count, 4)))
    for name in ("one.png", "two.png"):
        draw_heat_map(tmp_path / name, classes, matrix, "title")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        assert min(picture.size) >= 400
        # Yellow is the diagonal's colour: the values were really drawn.
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert (np.abs(colours.astype(int) - [253, 231, 55]).max(axis=1) < 6).mean() > 0.002


def test_a_class_whose_name_looks_like_mathematics_is_drawn_as_it_is(tmp_path):
    draw_heat_map(tmp_path / "m.png", [r"$\frac$", "b"], np.eye(2), "$x$ and $")
    with Image.open(tmp_path / "m.png") as drawn:
        assert drawn.format == "PNG"
