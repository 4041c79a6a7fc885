import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferclean.errors import FercleanError
from ferclean.tables.review import (
    DECISIONS,
    REVIEW_COLUMNS,
    Decision,
    make_decision,
    read_review,
    write_review,
)

HEADER = ",".join(REVIEW_COLUMNS)
ROW = "a,sad,relabel,happy,Ann,2026-01-31T12:00:00Z"


def written(tmp_path, text, **options):
    path = tmp_path / "review.csv"
    path.write_bytes(text.encode(**options))
    return path


def test_decisions_are_read_as_they_stand_in_the_file(tmp_path):
    rows = [
        ROW,
        "b,sad,keep,sad,Bo,2026-01-31T12:00:00+00:00",
        "c,sad,ambiguous,,Bo,2026-01-31T12:00Z",
    ]
    found = read_review(written(tmp_path, "\ufeff" + "\r\n".join([HEADER, *rows])))
    assert found[0] == Decision("a", "sad", "relabel", "happy", "Ann", "2026-01-31T12:00:00Z")
    assert [row.decision for row in found] == ["relabel", "keep", "ambiguous"]


def test_columns_may_stand_in_any_order_and_no_row_is_no_mistake(tmp_path):
    assert read_review(written(tmp_path, HEADER + "\n")) == []
    turned = ",".join(reversed(REVIEW_COLUMNS)) + "\n" + ",".join(reversed(ROW.split(",")))
    assert read_review(written(tmp_path, turned))[0].sample_id == "a"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (["a,sad,keep,happy,Ann,2026-01-31T12:00:00Z"], "line 2: decision keep has label 'happy'"),
        (["a,sad,relabel,,Ann,2026-01-31T12:00:00Z"], "relabel needs a label other than"),
        (["a,sad,relabel,sad,Ann,2026-01-31T12:00:00Z"], "relabel needs a label other than"),
        (["a,sad,ambiguous,sad,Ann,2026-01-31T12:00:00Z"], "ambiguous takes no label, found 'sad'"),
        (["a,sad,not_a_face,sad,Ann,2026-01-31T12:00:00Z"], "not_a_face takes no label"),
        (["a,sad,kep,sad,Ann,2026-01-31T12:00:00Z"], "'kep'; did you mean 'keep'?"),
        (["a,sad,keep,sad,,2026-01-31T12:00:00Z"], "line 2: reviewer is empty"),
        ([",sad,keep,sad,Ann,2026-01-31T12:00:00Z"], "sample_id is empty"),
        (["a,sad,keep,sad,Ann,yesterday"], "time must be ISO 8601 in UTC such as"),
        (["a,sad,keep,sad,Ann,2026-01-31T12:00:00"], "time must be ISO 8601 in UTC"),
        (["a,sad,keep,sad,Ann,2026-01-31T12:00:00+01:00"], "time must be ISO 8601 in UTC"),
        ([ROW, ROW], "line 3: sample_id 'a' repeats"),
        (["a,sad,keep"], "line 2: 6 values expected, found 3"),
        (["x" * 5000 + ROW], "at most 4096 characters"),
        (['"a'], "not a readable CSV file"),
    ],
)  # fmt: skip
def test_an_odd_row_is_told_by_its_line(tmp_path, rows, sentence):
    with pytest.raises(FercleanError) as told:
        read_review(written(tmp_path, "\n".join([HEADER, *rows]) + "\n"))
    assert sentence in str(told.value)
    assert "review.csv" in str(told.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "found none"),
        ("a,b\n", "must have the columns sample_id, given"),
        (HEADER + ",note\n", "note"),
    ],
)
def test_other_columns_are_refused(tmp_path, text, sentence):
    with pytest.raises(FercleanError, match=sentence):
        read_review(written(tmp_path, text))


def test_what_is_no_text_file_is_told(tmp_path):
    with pytest.raises(FercleanError, match=r"cannot read .*absent.csv"):
        read_review(tmp_path / "absent.csv")
    with pytest.raises(FercleanError, match="not a text in UTF-8"):
        read_review(written(tmp_path, "ä", encoding="latin-1"))


def test_values_that_are_no_texts_are_refused():
    good = dict(zip(REVIEW_COLUMNS, ROW.split(","), strict=True))
    assert make_decision(good) == Decision(**good)
    for name in REVIEW_COLUMNS:
        for value in (None, 3, ["a"], "a\0b"):
            with pytest.raises(FercleanError, match=f"{name} must be a text"):
                make_decision(good | {name: value})
        with pytest.raises(FercleanError, match=f"{name} holds half a character"):
            make_decision(good | {name: "a\ud800"})


def test_line_ends_within_a_name_stay_what_they_are_and_blank_lines_are_passed_over(tmp_path):
    names = ("a\rb.png", "a\r\nb.png", "a\nb.png", "ab.png")
    made = [Decision(name, "sad", "keep", "sad", "me", "2026-01-31T12:00:00Z") for name in names]
    write_review(made, tmp_path / "r.csv")
    assert {row.sample_id for row in read_review(tmp_path / "r.csv")} == set(names)
    with (tmp_path / "r.csv").open("ab") as stream:
        stream.write(b"\r\n\n")
    assert len(read_review(tmp_path / "r.csv")) == len(names)


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)


@given(st.dictionaries(TEXTS, st.tuples(TEXTS, TEXTS, st.sampled_from(DECISIONS)), max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_again_in_order_of_samples(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("review") / "review.csv"
    made = []
    for name, (label, reviewer, decision) in rows.items():
        named = {"keep": label, "relabel": label + "!"}.get(decision, "")
        made.append(Decision(name, label, decision, named, reviewer, "2026-01-31T12:00:00Z"))
    write_review(made, path)
    assert read_review(path) == sorted(made, key=lambda row: row.sample_id)
    before = path.read_bytes()
    write_review(reversed(made), path)
    assert path.read_bytes() == before
