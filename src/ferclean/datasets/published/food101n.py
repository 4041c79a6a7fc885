"""Food-101N (Lee, He, Zhang and Yang, CVPR 2018): dishes as search engines found them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ferclean.config.data import DataSettings
from ferclean.datasets.base import Source, first_reason
from ferclean.datasets.files import read_csv_rows, read_each
from ferclean.datasets.published.base import (
    PublishedSet,
    labelled_frame,
    open_published,
    read_lines,
)
from ferclean.datasets.published.noise_lists import refuse_labels_path
from ferclean.errors import FercleanError
from ferclean.progress import say

_LIST = "meta/imagelist.tsv"
# By split; a picture that both name is a validation picture.
_VERIFIED = {"train": "meta/verified_train.tsv", "val": "meta/verified_val.tsv"}
_KEY, _VERDICT = "class_name/key", "verification_label"
_TEST_LIST, _TEST_FOLDER = "food-101/meta/test.txt", "food-101/images"

FOOD101N = PublishedSet(
    name="food101n",
    title="Food-101N",
    classes=(
        *("apple_pie", "baby_back_ribs", "baklava", "beef_carpaccio", "beef_tartare"),
        *("beet_salad", "beignets", "bibimbap", "bread_pudding", "breakfast_burrito"),
        *("bruschetta", "caesar_salad", "cannoli", "caprese_salad", "carrot_cake", "ceviche"),
        *("cheese_plate", "cheesecake", "chicken_curry", "chicken_quesadilla", "chicken_wings"),
        *("chocolate_cake", "chocolate_mousse", "churros", "clam_chowder", "club_sandwich"),
        *("crab_cakes", "creme_brulee", "croque_madame", "cup_cakes", "deviled_eggs", "donuts"),
        *("dumplings", "edamame", "eggs_benedict", "escargots", "falafel", "filet_mignon"),
        *("fish_and_chips", "foie_gras", "french_fries", "french_onion_soup", "french_toast"),
        *("fried_calamari", "fried_rice", "frozen_yogurt", "garlic_bread", "gnocchi"),
        *("greek_salad", "grilled_cheese_sandwich", "grilled_salmon", "guacamole", "gyoza"),
        *("hamburger", "hot_and_sour_soup", "hot_dog", "huevos_rancheros", "hummus", "ice_cream"),
        *("lasagna", "lobster_bisque", "lobster_roll_sandwich", "macaroni_and_cheese", "macarons"),
        *("miso_soup", "mussels", "nachos", "omelette", "onion_rings", "oysters", "pad_thai"),
        *("paella", "pancakes", "panna_cotta", "peking_duck", "pho", "pizza", "pork_chop"),
        *("poutine", "prime_rib", "pulled_pork_sandwich", "ramen", "ravioli", "red_velvet_cake"),
        *("risotto", "samosa", "sashimi", "scallops", "seaweed_salad", "shrimp_and_grits"),
        *("spaghetti_bolognese", "spaghetti_carbonara", "spring_rolls", "steak"),
        *("strawberry_shortcake", "sushi", "tacos", "takoyaki", "tiramisu", "tuna_tartare"),
        "waffles",
    ),
    first_number=0,
    needed=("images", _LIST, *_VERIFIED.values()),
    # 310,009 pictures, of which 4,741 are validation ones; the test pictures are Food-101's.
    rows={"train": 305_268, "val": 4_741, "test": 25_250},
    counts={"test": (250,) * 101},
    origin="https://kuanghuei.github.io/Food-101N/",
    terms="research only",
)


def read_food101n(settings: DataSettings) -> Source:
    """Read Food-101N: ``meta`` and ``images``, and Food-101's test pictures beside them.

    All pictures are training rows but those of ``verified_val.tsv``, which are validation rows.
    Where the folder ``food-101`` (as Food-101 is published) lies in ``data.path``, its
    ``meta/test.txt`` names the test rows. A row's class is the folder of its picture.

    The column ``verified`` says what people think of the label: 1 right, 0 wrong, missing where
    nobody looked. ``true`` is the label that is right and missing elsewhere: what a wrong one
    should be, nobody said. So among the rows whose truth is known no label is wrong, and noise is
    to be measured by ``verified``.

    Raises
    ------
    FercleanError
        If a file of the layout is missing, a list is none, or a label is both right and wrong.
    """
    refuse_labels_path(settings)
    root = open_published(FOOD101N, settings)
    rows = pd.concat([_noisy_rows(root), _test_rows(root)], ignore_index=True)
    # A name with no folder before it has no class.
    words = rows["key"].str.extract(r"^([^/]+)/", expand=False).astype(object)
    frame = labelled_frame(rows["path"], words, rows["split"], settings, verified=rows["verified"])
    right = frame["verified"].eq(1).fillna(False).astype(bool)
    frame["true"] = frame["given"].where(right, None)
    frame["reason"] = first_reason(rows["reason"], frame["reason"])
    return Source(FOOD101N.name, frame, read_each(root, frame, max_pixels=settings.max_pixels))


def _noisy_rows(root: Path) -> pd.DataFrame:
    """Return ``key``, ``path``, ``split``, ``verified`` and ``reason`` of Food-101N's pictures.

    A verified picture that the list of all does not name (one is: under another dish) is a row
    with a reason.
    """
    listed = [key.strip() for (key,) in read_csv_rows(root / _LIST, (_KEY,), separator="\t") if key]
    if not listed:
        raise FercleanError(f"{root / _LIST} names no picture; unpack it again")
    verdicts = _verdicts(root)
    strays = verdicts.index.difference(pd.Index(listed), sort=False)
    keys = pd.Series([*listed, *strays], dtype=object)
    found = verdicts.reindex(keys)
    return pd.DataFrame(
        {
            "key": keys,
            "path": "images/" + keys,
            "split": found["split"].fillna("train").to_numpy(dtype=object),
            "verified": found["verified"].array,
            "reason": pd.Series(
                [None] * len(listed) + [f"not in {_LIST}"] * len(strays), dtype=object
            ),
        }
    )


def _verdicts(root: Path) -> pd.DataFrame:
    """Return ``split`` and ``verified`` (Int64) of each verified picture, by its key."""
    parts = []
    for split, name in _VERIFIED.items():
        rows = list(read_csv_rows(root / name, (_KEY, _VERDICT), separator="\t"))
        part = pd.DataFrame(rows, columns=["key", "verified"], dtype=object)
        part = part.apply(lambda column: column.str.strip())
        wrong = part[~part["verified"].isin(["0", "1"])]
        if len(wrong):
            raise FercleanError(
                f"{root / name}: the {_VERDICT} of {wrong['key'].iloc[0]} must be 0 or 1, found "
                f"{wrong['verified'].iloc[0]!r}"
            )
        parts.append(part.assign(split=split))
    verdicts = pd.concat(parts, ignore_index=True)
    once = verdicts[["key", "verified"]].drop_duplicates()
    contradicted = once.loc[once["key"].duplicated(), "key"]
    if len(contradicted):
        names = sorted(verdicts.loc[verdicts["key"].eq(contradicted.iloc[0]), "split"].unique())
        files = " and ".join(str(root / _VERIFIED[name]) for name in names)
        raise FercleanError(
            f"{files}: the label of {contradicted.iloc[0]} is both right and wrong; remove one line"
        )
    verdicts["verified"] = verdicts["verified"].astype(int).astype("Int64")
    return verdicts.drop_duplicates("key", keep="last").set_index("key")


def _test_rows(root: Path) -> pd.DataFrame:
    """Return Food-101's test pictures as :func:`_noisy_rows` has them; none where it is absent."""
    keys: list[str] = []
    if (root / "food-101").is_dir():
        keys = [line for _, line in read_lines(root / _TEST_LIST)]
    else:
        say(f"{root} holds no folder food-101: there are no test pictures")
    key = pd.Series(keys, dtype=object)
    return pd.DataFrame(
        {
            "key": key,
            "path": f"{_TEST_FOLDER}/" + key + ".jpg",
            "split": pd.Series("test", index=key.index, dtype=object),
            "verified": pd.Series(pd.NA, index=key.index, dtype="Int64"),
            "reason": pd.Series(None, index=key.index, dtype=object),
        }
    )
