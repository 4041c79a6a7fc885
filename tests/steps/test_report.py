import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from ferclean.config.load import build_settings
from ferclean.errors import FercleanError
from ferclean.report.pictures import face_uri
from ferclean.steps.report import report
from ferclean.tables.face_packs import read_face_pack
from ferclean.tables.labels import read_label_table, write_label_table
from fixtures.fake_run import FakeResults, make_fake_results

pytestmark = pytest.mark.slow

VOID = {"meta", "img", "br", "hr", "input", "link"}
SECTIONS = ("results", "curves", "cost", "data", "samples", "noise", "words", "runs")


class Checker(HTMLParser):
    """Checks nesting and collects ids, links and words."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.sources, self.words = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        found = dict(attributes)
        assert len(found) == len(attributes), f"{tag} repeats an attribute"
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.sources += [found["src"]] if "src" in found else []
        if tag == "img":
            assert found.get("alt")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def make_page(fake: FakeResults, **values) -> str:
    fake.summarise()
    return render(fake, **values)


def render(fake: FakeResults, **values) -> str:
    settings = build_settings({"report": {"gallery": 5, "sample_sheet": 2, **values}}, ["report"])
    arguments = fake.report_arguments()
    report(**arguments, settings=settings)
    return arguments["output"].read_text(encoding="utf-8")


def check(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert len(set(checker.ids)) == len(checker.ids)
    assert set(SECTIONS) <= set(checker.ids)
    text = re.sub(r"data:image/[^\"]+", "", page)  # base64 may hold any letters
    assert not re.search(r"https?:|//[a-z]|@import|xlink", text)
    assert all(link.startswith("#") and link[1:] in checker.ids for link in checker.links)
    assert all(source.startswith("data:image/") for source in checker.sources)
    return checker


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    fake = make_fake_results(
        tmp_path_factory.mktemp("full"), methods=("smr", "cross_entropy", "oracle_clean"), rows=280
    )
    return fake, make_page(fake)


def test_the_page_is_valid_offline_and_complete(full):
    fake, page = full
    checker = check(page)
    text = " ".join(" ".join(checker.words).split())
    for words in (
        "best on test*", "it is too good by construction", "Left out, by reason", "no face",
        "Realised transitions", "Cosine similarity", "What was changed", "Before: true against",
        "After: true against", "Most suspicious faces", "Right in the end", "ceiling", "control",
        "after round 2, network 2 of 2", "fitted: clean", "Reliability", "Label accuracy",
    ):  # fmt: skip
        assert words in text, words
    assert len(page.encode()) < 5e6
    for run in fake.runs:
        assert run in text


def test_the_same_results_give_the_same_page(full):
    fake, page = full
    assert render(fake) == page


def test_settings_reach_the_page(full):
    fake, page = full
    other = render(fake, title="My <faces> & yours", gallery=3, sample_sheet=1)
    assert "<title>My &lt;faces&gt; &amp; yours</title>" in other
    gallery = 'class="quality"'
    assert page.count(gallery) == 15 and other.count(gallery) == 9
    render(fake)


def test_faces_are_found_by_id_not_by_position(full):
    fake, page = full
    samples = read_label_table(fake.root / "prepare" / "align" / "samples.parquet").frame
    faces = read_face_pack(fake.root / "prepare" / "align" / "faces.pack")
    shown = re.findall(r'<img src="([^"]+)" alt="[^"]+" title="(face-\d+)">', page)
    assert shown
    for uri, name in shown:
        row = int(samples.set_index("sample_id").loc[name, "face_row"])
        assert uri == face_uri(np.asarray(faces[row]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"truth": False}, "truth unknown"),
        ({"word_vectors": False}, "No word vectors were made."),
        ({"validation": False, "rounds": 0}, "warm-up"),
        ({"channels": 1, "votes": True}, "annotators&#39; votes|annotators' votes"),
        ({"rate": 0.0}, "No observed training label is wrong"),
        (
            {"votes": True},
            r"prediction on test rows [−-]?\d\.\d+ with the votes, [−-]?\d\.\d+ with",
        ),
    ],
)
def test_unusual_runs_still_give_a_page(tmp_path, options, words):
    page = make_page(make_fake_results(tmp_path, methods=("smr",), rows=140, **options))
    check(page)
    assert re.search(words, page)


def test_nothing_suspicious_and_no_gallery_wanted(tmp_path):
    fake = make_fake_results(tmp_path, methods=("cross_entropy",), rows=140, rate=0.0)
    for number in range(fake.rounds + 1):
        path = tmp_path / "denoise" / fake.runs[0] / f"round_{number}" / "labels.parquet"
        table = read_label_table(path)
        sure = table.with_columns(
            clean_probability=1.0, label=table.frame["observed"], action="keep"
        )
        write_label_table(sure, path)
    assert "No training face looks suspicious." in make_page(fake)
    doubted = make_fake_results(tmp_path / "b", methods=("smr",), rows=140)
    assert "report.gallery is 0" in make_page(doubted, gallery=0)


def test_partitions_may_be_absent(tmp_path):
    fake = make_fake_results(tmp_path, methods=("smr",), rows=140)
    make_page(fake)
    for path in (tmp_path / "denoise").rglob("partition.parquet"):
        path.unlink()
    page = render(fake)
    check(page)
    assert "left no partition" in page


def test_empty_tables_of_ingest_are_read(tmp_path):
    fake = make_fake_results(tmp_path, methods=("smr",), rows=140)
    for step in ("ingest", "align"):
        (tmp_path / "prepare" / step / "quarantine.csv").write_text("sample_id,path,reason\n")
    (tmp_path / "prepare" / "ingest" / "duplicates.csv").write_text("")
    page = make_page(fake)
    check(page)
    assert "Nothing was left out." in page
    assert "Duplicate pictures: 0" in page


def test_several_rates_and_seeds_are_put_together(tmp_path):
    fakes = [
        make_fake_results(
            tmp_path, methods=("smr", "cross_entropy"), rows=140, rate=rate, seed=seed
        )
        for rate in (0.2, 0.4)
        for seed in (0, 1)
    ]
    fakes[0].summarise(*fakes[1:])
    runs = [run for fake in fakes for run in fake.runs]
    arguments = {**fakes[0].report_arguments(), "run": runs}
    report(**arguments, settings=build_settings({"report": {"gallery": 1}}, ["report"]))
    page = arguments["output"].read_text()
    check(page)
    assert "Mean ± standard deviation over seeds" in page
    assert "Accuracy by noise rate, symmetric" in page
    assert "Accuracy by cost, symmetric 0.2" in page and "Accuracy by cost, symmetric 0.4" in page
    # Six epochs of 30 s; both runs of a seed cost the same.
    cost = page.split('<section id="cost">')[1].split("</section>")[0]
    assert cost.count("<td>3.0 <small>± 0.0</small></td>\n      <td>1.0</td><td>5.0</td>") == 4
    assert len(pd.read_csv(tmp_path / "summary" / "seeds.csv")) == 4


def test_text_from_the_data_is_escaped(tmp_path):
    fake = make_fake_results(tmp_path, methods=("smr",), rows=140)
    path = tmp_path / "prepare" / "ingest" / "quarantine.csv"
    path.write_text("sample_id,path,reason\na,b,<script>alert(1)</script>\n")
    page = make_page(fake)
    check(page)
    assert "<script>alert" not in page


def test_a_run_outside_the_summary_is_named(full):
    fake, _ = full
    arguments = {**fake.report_arguments(), "run": ["pairflip-0.1-seed0/smr"]}
    with pytest.raises(FercleanError, match="pairflip"):
        report(**arguments, settings=build_settings({"report": {}}, ["report"]))


def test_partitions_of_other_rows_are_refused(tmp_path):
    fake = make_fake_results(tmp_path, methods=("smr",), rows=140)
    make_page(fake)
    other = make_fake_results(tmp_path / "other", methods=("smr",), rows=210)
    source = other.root / "denoise" / other.runs[0] / "round_1" / "partition.parquet"
    target = fake.root / "denoise" / fake.runs[0] / "round_1" / "partition.parquet"
    target.write_bytes(source.read_bytes())
    with pytest.raises(FercleanError, match="other rows"):
        render(fake)
