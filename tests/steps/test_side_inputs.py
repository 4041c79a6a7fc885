"""What the training steps read beside faces and labels."""

import numpy as np
import pandas as pd
import pytest

from ferclean.config.side_inputs import settings_needing, side_inputs
from ferclean.errors import FercleanError
from ferclean.faces.detect import LANDMARKS
from ferclean.faces.template import template_residuals
from ferclean.steps.side_inputs import read_side_inputs
from ferclean.tables.labels import read_label_table, read_training_table, write_label_table
from fixtures.small_data import CLASSES, run_files, write_small_data


@pytest.fixture
def files(tmp_path):
    _, labels = write_small_data(tmp_path / "data", rows=20)
    table = read_training_table(labels)
    return labels, table.take(table.in_split("train"))


def test_landmarks_stand_in_the_order_of_the_training_rows(files):
    file, training = files
    found = read_side_inputs("la_net", {"landmarks": file}, training)["landmarks"]
    frame = read_label_table(file).frame.set_index("sample_id")
    assert len(training) < len(frame)
    for row, sample in enumerate(training.frame["sample_id"]):
        points = [
            [frame.loc[sample, f"landmark_{name}_{axis}"] for axis in "xy"] for name in LANDMARKS
        ]
        np.testing.assert_array_equal(found[row], template_residuals(np.array([points]))[0])


def test_faces_without_landmarks_are_not_a_number(files, tmp_path):
    file, training = files
    table = read_label_table(file)
    chosen = table.frame["sample_id"] == training.frame["sample_id"][2]
    column = table.frame["landmark_nose_x"].mask(chosen)
    write_label_table(table.with_columns(landmark_nose_x=column), tmp_path / "other.parquet")
    inputs = {"landmarks": tmp_path / "other.parquet"}
    found = read_side_inputs("ldl_alsg", inputs, training)["landmarks"]
    assert np.isnan(found[2]).all() and np.isfinite(np.delete(found, 2, axis=0)).all()


@pytest.mark.parametrize("change", ["moved", "removed"])
def test_a_file_of_other_faces_is_refused(files, tmp_path, change):
    file, training = files
    table = read_label_table(file)
    if change == "moved":
        table = table.with_columns(face_row=table.frame["face_row"] + 1)
    else:
        table = table.take(np.arange(len(table) - 3))
    write_label_table(table, tmp_path / "other.parquet")
    with pytest.raises(FercleanError, match=r"does not hold the faces of the label table; run"):
        read_side_inputs("la_net", {"landmarks": tmp_path / "other.parquet"}, training)


def test_a_file_without_landmark_columns_is_refused(files, tmp_path):
    file, training = files
    read = read_label_table(file, ["sample_id", "path", "split", "face_row"])
    write_label_table(read, tmp_path / "other.parquet")
    with pytest.raises(FercleanError, match="column 'landmark_left_eye_x' is missing"):
        read_side_inputs("la_net", {"landmarks": tmp_path / "other.parquet"}, training)


def test_the_files_must_be_those_that_the_method_reads(files):
    file, training = files
    with pytest.raises(FercleanError, match="method la_net needs --side-input landmarks=FILE"):
        read_side_inputs("la_net", {}, training)
    with pytest.raises(FercleanError, match=r"smr does not read .* landmarks; it reads: none"):
        read_side_inputs("smr", {"landmarks": file}, training)


def test_what_sce_ald_reads_stands_in_the_order_of_rows_and_classes(files):
    file, training = files
    side = run_files(file, file, "sce_ald", None).side
    found = read_side_inputs("sce_ald", side, training)
    frame = pd.read_parquet(side["semantic_similarity"])
    assert frame["sample_id"].tolist() == training.frame["sample_id"].tolist()
    for k, name in enumerate(CLASSES):
        np.testing.assert_array_equal(found["semantic_similarity"][:, k], frame[f"s_{name}"])
    words = pd.read_csv(side["word_vectors"]).set_index("class")
    np.testing.assert_allclose(found["word_vectors"][1], words.loc["happy"][1:].astype(float))


def test_similarities_of_other_rows_are_refused(files):
    file, training = files
    side = run_files(file, file, "sce_ald", None).side
    with pytest.raises(FercleanError, match="describes other rows"):
        read_side_inputs("sce_ald", side, training.take(np.arange(3)))


def test_embeddings_are_made_for_the_draws_of_methods_that_read_them():
    runs = [("a", "smr"), ("b", "sce_ald"), ("a", "sce_ald"), ("b", "cross_entropy")]
    assert settings_needing("semantic_similarity", runs) == ["b", "a"]
    assert settings_needing("semantic_similarity", runs[:1]) == []
    assert side_inputs("sce_ald", "b") == {
        "semantic_similarity": "results/embed/b/similarity.parquet",
        "word_vectors": "results/semantics/word_vectors.csv",
    }
