"""Step ``word-vectors``: vectors of the class words and their similarities."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ferclean.config.load import Settings
from ferclean.progress import say
from ferclean.semantics.heat_map import draw_heat_map
from ferclean.semantics.similarity import nearest_classes, similarity_matrix
from ferclean.semantics.sources import word_vectors as make_vectors
from ferclean.semantics.table import word_vector_frame
from ferclean.semantics.words import class_words
from ferclean.tables.atomic import atomic_path, write_json, write_text


def word_vectors(*, output: Path, settings: Settings) -> None:
    """Write ``word_vectors.csv``, ``similarity.csv``, ``similarity.png`` and ``summary.json``.

    Parameters
    ----------
    output : Path
        The folder to write to.
    settings : Settings
        With sections ``data`` (class names) and ``semantics``.

    Raises
    ------
    FercleanError
        If a source cannot be read or a class word has no vector.
    """
    classes, semantics = settings.data.classes, settings.semantics
    made = make_vectors(class_words(classes, semantics.words), semantics)
    similarity = similarity_matrix(classes, made.vectors)
    nearest = nearest_classes(classes, similarity)
    matrix = pd.DataFrame(similarity, index=pd.Index(classes, name="class"), columns=list(classes))
    frame = word_vector_frame(made.words, made.vectors)
    write_text(output / "word_vectors.csv", frame.to_csv(index=False, lineterminator="\n"))
    write_text(output / "similarity.csv", matrix.to_csv(lineterminator="\n"))
    with atomic_path(output / "similarity.png") as temporary:
        title = f"Similarity of the class words (source: {semantics.source})"
        draw_heat_map(temporary, classes, similarity, title)
    summary = {
        "source": semantics.source,
        "dimensions": made.vectors.shape[1],
        "words": made.words,
        "nearest": nearest,
        "citation": made.citation,
        "occurrences": made.occurrences,
    }
    write_json(output / "summary.json", summary)
    for name, other in nearest.items():
        say(f"word vectors: {name} is nearest to {other or 'no single class'}")
