from __future__ import annotations

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from ferclean.report.cards import DataFacts, ModelFacts, data_card, model_card, per_class

CLASSES = ["sad", "a|b `c`", "7"]
COUNTS = np.array([[5, 1, 0], [2, 2, 0], [0, 0, 0]])


def confusion(counts=COUNTS, classes=CLASSES):
    rows = [
        ("test", classes[i], classes[j], counts[i, j])
        for i in range(len(classes))
        for j in range(len(classes))
    ]
    other = [("observed", name, name, 99) for name in classes]
    return pd.DataFrame(rows + other, columns=["table", "row", "column", "count"])


def data_facts(**changes):
    splits = {"train": [3, 4, 5], "val": [0, 1, 0], "test": [6, 4, 0]}
    ingest = {
        "dataset": "my <set>", "source": "table", "rows": 30, "quarantined": 5,
        "quarantined_by_reason": {"not a picture": 5},
        "splits": {split: dict(zip(CLASSES, counts, strict=True))
                   for split, counts in splits.items()},
        "identities_in_several_splits": None,
        "duplicates": {
            "exact": 1, "near": 2, "near_search_complete": False, "conflicting_groups": 3,
            "copies_of_held_out_pictures": {"all_rows": {"test": {"pictures": 4}}},
        },
    }  # fmt: skip
    align = {"rows": 25, "kept": 23, "quarantined": 2, "reasons": {"no face": 2}}
    noise = {
        "kind": "none", "rate": 0.0, "seed": 0, "classes": CLASSES,
        "splits": {"train": {"rows": 12, "changed": 0, "truth_known": 0}},
    }  # fmt: skip
    estimates = pd.DataFrame(
        [("none-0-seed0/smr", np.nan, 0.25, np.nan)],
        columns=["run", "noise_rate_observed", "noise_rate_estimated", "detection_auroc"],
    )
    facts = DataFacts(ingest, align, {"none-0-seed0": noise}, estimates, True, "", "")
    return dataclasses.replace(facts, **changes)


def model_facts(**changes):
    metrics = {
        "test_rows": 10, "train_rows": 12, "test_accuracy_last_epoch": 0.7,
        "label_accuracy_observed": None, "noise_rate_estimated": 0.25,
        "label_accuracy_unavailable": "no truth",
    }  # fmt: skip
    data = data_facts()
    facts = ModelFacts(
        run="none-0-seed0/smr", setting="none-0-seed0", method="smr", version="1.2.3",
        settings={"align": {"size": 48, "color": "grey"}, "model": {"name": "tiny48"},
                  "training": {"optimizer": {"name": "sgd"}}},
        metrics=metrics, confusion=confusion(),
        seeds={"seeds": 3, "test_accuracy_last_epoch_mean": 0.61234,
               "test_accuracy_last_epoch_sd": np.nan},
        noise=data.noise["none-0-seed0"], data=data,
    )  # fmt: skip
    return dataclasses.replace(facts, **changes)


def test_recall_and_precision_are_those_of_a_loop():
    found = per_class(confusion(), CLASSES)
    for k, row in enumerate(found):
        right = COUNTS[k, k]
        said, true = sum(COUNTS[i][k] for i in range(3)), sum(COUNTS[k][j] for j in range(3))
        assert row["name"] == CLASSES[k] and row["rows"] == true
        np.testing.assert_equal(row["recall"], right / true if true else np.nan)
        np.testing.assert_equal(row["precision"], right / said if said else np.nan)


def test_the_data_card_tells_all():
    card = data_card(data_facts())
    for words in (
        r"# Data card: my \<set\>", "| all | 12 | 1 | 10 |", "30 rows came in, 23 are used, 7 were",
        "* not a picture: 5", "* no face: 2", "the search was not complete", "3 groups",
        "split test that training holds, too: 4", "the set does not say who is shown",
        "not known to ferclean; ask those who gave", "| 25.0 | – | – |", "not feelings",
        "Article 5(1)(f)", "The pictures show people",
    ):  # fmt: skip
        assert words in card, words
    assert not re.search(r"\n\n\n", card)


def test_origin_and_terms_of_a_published_set_are_told():
    card = data_card(data_facts(origin="https://x.org", terms="research only"))
    assert "from https://x.org" in card and "Terms: research only." in card


def test_drawn_faces_are_said_to_be_drawn():
    facts = data_facts()
    drawn = dataclasses.replace(facts, ingest={**facts.ingest, "source": "rendered"})
    card = data_card(drawn)
    assert "no person is shown" in card and "show people" not in card
    assert "on photographs this model is of no use" in model_card(model_facts(data=drawn))


def test_pictures_of_other_things_have_no_feelings():
    data = data_facts(expressions=False)
    for card in (data_card(data), model_card(model_facts(data=data))):
        assert "Article" not in card and "feelings" not in card and "research on label" in card


def test_the_model_card_tells_all():
    card = model_card(model_facts())
    head = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert yaml.safe_load(head[1])["library_name"] == "ferclean"
    for words in (
        "# Model card: none-0-seed0/smr", "trained by ferclean 1.2.3", "faces of 48 x 48 pixels",
        r"each of sad, a\|b \`c\`, 7, in this order", "mean of 3 seeds",
        "| Test accuracy, last epoch | 70.0 | 61.2 | – |", "| sad | 6 | 83.3 | 71.4 |",
        "| 7 | 0 | – | – |", "labels as they came", "that the method calls wrong: 25.0 %",
        "is not known: no truth", "Weakest on a\\|b \\`c\\`: it finds 50.0 %",
        "| `training.optimizer.name` | `sgd` |", "(2 of 25 pictures)", "Article 5(1)(f)",
    ):  # fmt: skip
        assert words in card, words
    assert "right before" not in card
    assert not re.search(r"\n\n\n", card)


def test_without_test_pictures_there_are_no_results():
    metrics = {"test_rows": 0, "train_rows": 3, "label_accuracy_unavailable": None}
    nothing = confusion(np.zeros((3, 3), int))
    card = model_card(model_facts(metrics=metrics, confusion=nothing))
    assert "There are no test pictures." in card and "Weakest" not in card


@pytest.mark.parametrize("text", ["a|b", "x\ny", "<b>", "`c`", "[l](u)", "*s*", "#1"])
def test_names_are_no_markup(text):
    facts = data_facts()
    card = data_card(dataclasses.replace(facts, ingest={**facts.ingest, "dataset": text}))
    heading = card.splitlines()[0]
    assert not re.search(r"(?<!\\)[|<>`*\[\]]", heading.removeprefix("# Data card: "))
    assert heading.startswith("# Data card: ")
