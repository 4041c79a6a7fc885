"""The review page in headless Chromium, as a person uses it: by keys, offline and served."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from ferclean.steps.review_server import DecisionFile, ReviewServer
from ferclean.tables.review import Decision, read_review, write_review
from fixtures.browser import CONTRAST, chromium
from fixtures.review_pages import CLASSES, review_rows, write_page

pytestmark = pytest.mark.slow

DESK, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "review"
    write_page(path)
    return path


@pytest.fixture
def context(browser):
    opened = browser.new_context(viewport=DESK)
    yield opened
    opened.close()


def open_page(context, folder, address=None):
    """Open the page and fail on anything that the console calls an error."""
    page = context.new_page()
    page.faults, page.asked = [], set()
    page.on("request", lambda request: page.asked.add(request.url))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda m: page.faults.append(m.text) if m.type == "error" else None)
    page.goto(address or (folder / "index.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    return page


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def row(page, place):
    """Return id, given and suggested label of a place in the list."""
    return page.evaluate(
        "(k) => [page.ids[view.rows[k]], className(page.given[view.rows[k]]), "
        "className(page.suggested[view.rows[k]])]",
        place,
    )


def exported(page, tmp_path):
    with page.expect_download() as waiting:
        page.click("#export")
    path = tmp_path / "exported.csv"
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename == "review.csv"
    return {found.sample_id: found for found in read_review(path)}


def wrong_places(page):
    """Places whose suggestion differs from the given label."""
    count = page.evaluate("view.rows.length")
    return [k for k in range(count) if len(set(row(page, k)[1:])) == 2]


def test_decide_by_keys_reload_and_export(context, folder, tmp_path):
    page = open_page(context, folder)
    page.fill("#reviewer", "Ann")
    page.press("#reviewer", "Tab")
    ids = [row(page, place) for place in range(5)]
    first = wrong_places(page)[0]
    page.evaluate("(k) => go(k)", first)
    press(page, "a")
    other = next(place for place in range(5) if place != first)
    page.evaluate("(k) => go(k)", other)
    press(page, "k")
    third, fourth = [place for place in range(5) if place not in (first, other)][:2]
    for place, key in ((third, "m"), (fourth, "x")):
        page.evaluate("(k) => go(k)", place)
        press(page, key)
    assert page.inner_text("#count") == "4 of 45 decided"
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.inner_text("#count") == "4 of 45 decided"
    found = exported(page, tmp_path)
    assert found[ids[first][0]].label == ids[first][2]
    assert (found[ids[other][0]].decision, found[ids[other][0]].label) == ("keep", ids[other][1])
    assert found[ids[third][0]].decision == "ambiguous"
    assert found[ids[fourth][0]].decision == "not_a_face"
    assert {each.reviewer for each in found.values()} == {"Ann"}
    assert all(found[name].given == given for name, given, _ in ids if name in found)
    assert page.faults == []


def test_the_next_undecided_face_follows_and_digits_name_classes(context, folder, tmp_path):
    page = open_page(context, folder)
    ids = [row(page, place) for place in range(3)]
    press(page, "3", "7")
    assert page.evaluate("view.at") == 2
    found = exported(page, tmp_path)
    for (name, given, _), label in zip(ids, (CLASSES[2], CLASSES[6]), strict=False):
        decision = "keep" if label == given else "relabel"
        assert (found[name].label, found[name].decision) == (label, decision)


def test_undo_clear_and_moving(context, folder, tmp_path):
    page = open_page(context, folder)
    press(page, "k", "m", "u")
    assert page.inner_text("#count") == "1 of 45 decided"
    assert page.evaluate("view.at") == 1  # back at the face whose decision was taken back
    press(page, "x", "ArrowLeft", "x", "Control+z", "Control+z", "Control+z", "u")
    assert page.inner_text("#count") == "0 of 45 decided"
    press(page, "Home", "k", "ArrowLeft", "Delete")
    assert page.inner_text("#count") == "0 of 45 decided"
    press(page, "u")
    assert page.inner_text("#count") == "1 of 45 decided"
    press(page, "End")
    assert page.evaluate("view.at") == 44
    press(page, "ArrowRight", "ArrowDown", "n")
    assert page.evaluate("view.at") == 44
    press(page, "PageUp", "ArrowUp", "p")
    assert page.evaluate("view.at") < 44
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert len(exported(page, tmp_path)) == 1


def test_filters_by_class_pair_verdict_state_and_text(context, folder):
    page = open_page(context, folder)
    name, given, suggested = row(page, wrong_places(page)[0])
    page.select_option("[name=given]", str(CLASSES.index(given)))
    page.select_option("[name=suggested]", str(CLASSES.index(suggested)))
    count = page.evaluate("view.rows.length")
    assert all(row(page, place)[1:] == [given, suggested] for place in range(count))
    assert page.inner_text("#found") == f"{count} of 45" and count < 45
    page.select_option("[name=given]", "")
    page.select_option("[name=suggested]", "")
    page.select_option("[name=verdict]", label="ambiguous (9)")
    assert page.inner_text("#found") == "9 of 45"
    page.select_option("[name=verdict]", "")
    page.focus("#list")
    press(page, "/")
    page.keyboard.type(f"{name[-5:]}")
    assert page.inner_text("#found") == "1 of 45" and row(page, 0)[0] == name
    press(page, "Escape", "k")
    page.fill("[name=text]", "nowhere")
    assert page.is_visible("#nothing")
    page.fill("[name=text]", "")
    page.select_option("[name=state]", "decided")
    assert page.inner_text("#found") == "1 of 45"
    page.select_option("[name=state]", "open")
    assert page.inner_text("#found") == "44 of 45"
    assert page.faults == []


def test_keys_in_fields_write_and_can_be_switched_off(context, folder):
    page = open_page(context, folder)
    page.focus("#reviewer")
    page.keyboard.type("max 3")
    assert page.input_value("#reviewer") == "max 3"
    page.focus("#list")
    press(page, "?")
    assert page.is_visible("dialog")
    press(page, "k")
    page.uncheck("#use-keys")
    page.click("dialog button")
    press(page, "k", "x", "1")
    assert page.inner_text("#count") == "0 of 45 decided"
    press(page, "Enter")  # moves and Enter stay
    assert not page.is_visible("dialog")


def test_import_keeps_the_later_decision_and_refuses_odd_files(context, folder, tmp_path):
    page = open_page(context, folder)
    (first, given, _), (second, other, _) = row(page, 0), row(page, 1)
    press(page, "k")
    rows = [
        Decision(first, given, "ambiguous", "", "Bo", "2001-01-01T00:00:00Z"),
        Decision(second, other, "not_a_face", "", 'Bo "B", Jr.', "2001-01-01T00:00:00Z"),
        Decision("elsewhere\u00e9", other, "keep", other, "Bo", "2001-01-01T00:00:00Z"),
    ]
    write_review(rows, tmp_path / "theirs.csv")
    page.set_input_files("#file", tmp_path / "theirs.csv")
    page.wait_for_selector("text=3 decisions read, 2 new or later")
    found = exported(page, tmp_path)
    assert found[first].decision == "keep"
    assert found[second] == rows[1] and found["elsewhere\u00e9"] == rows[2]
    (tmp_path / "bad.csv").write_text("sample_id,given\na,b\n")
    page.set_input_files("#file", tmp_path / "bad.csv")
    page.wait_for_selector("text=bad.csv was not read: it must have the columns")
    press(page, "u")
    assert set(exported(page, tmp_path)) == {first}


def test_decisions_about_another_label_do_not_count(context, folder, tmp_path):
    page = open_page(context, folder)
    name, given, _ = row(page, 0)
    old = CLASSES[(CLASSES.index(given) + 3) % 7]
    write_review(
        [Decision(name, old, "keep", old, "Bo", "2001-01-01T00:00:00Z")], tmp_path / "o.csv"
    )
    page.set_input_files("#file", tmp_path / "o.csv")
    page.wait_for_selector("text=1 decisions read")
    assert page.inner_text("#count") == "0 of 45 decided"


def test_decisions_that_the_labels_follow_are_shown_as_decided(context, tmp_path):
    write_page(tmp_path / "review", review_rows(decided=5))
    page = open_page(context, tmp_path / "review")
    assert page.inner_text("#count").startswith("5 of ")
    assert set(exported(page, tmp_path)) == {f"face-{row:05d}" for row in range(85, 90)}


def test_served_decisions_go_to_the_file_and_come_back(browser, folder, tmp_path):
    file = DecisionFile(tmp_path / "review.csv")
    with ReviewServer(folder, file, reviewer="Ann", port=0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        context = browser.new_context(viewport=DESK)
        page = open_page(context, folder, server.address)
        names = [row(page, place)[0] for place in range(3)]
        press(page, "k", "m", "x", "u")
        page.wait_for_selector(f"text=Saved to {file.path}")
        page.wait_for_function("waiting.size === 0 && !sending")
        assert [found.sample_id for found in read_review(file.path)] == sorted(names[:2])
        assert {found.reviewer for found in read_review(file.path)} == {"Ann"}
        again = open_page(browser.new_context(), folder, server.address)  # nothing in its store
        assert again.inner_text("#count") == "2 of 45 decided"
        file.path.write_text("broken\n")
        press(page, "k")
        page.wait_for_selector("#status.bad")
        assert "must have the columns" in page.inner_text("#status")
        server.shutdown()
    assert page.faults == [] or all("400" in fault for fault in page.faults)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_phone_width_nothing_overflows_and_contrast_is_enough(browser, folder, scheme):
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)
    page = open_page(context, folder)
    press(page, "k", "m", "Home")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 20
    assert [found for found in ratios if found["ratio"] < 4.5] == []
    context.close()


def test_a_screen_reader_is_told_where_it_is(context, folder):
    page = open_page(context, folder)
    press(page, "ArrowRight")
    active = page.get_attribute("#list", "aria-activedescendant")
    chosen = page.locator(f"#{active}")
    assert chosen.get_attribute("aria-selected") == "true"
    assert chosen.get_attribute("aria-posinset") == "2"
    assert chosen.get_attribute("aria-setsize") == "45"
    assert page.inner_text("#announce").startswith("2 of 45: given ")
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('button, input, select')].filter((e) => "
        "e.checkVisibility() && !e.textContent.trim() && !e.labels?.length && !e.ariaLabel)"
        ".map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_of_five_thousand_faces_only_those_in_sight_exist(context, tmp_path):
    write_page(tmp_path / "review", review_rows(10_000))
    page = open_page(context, tmp_path / "review")
    assert page.inner_text("#count") == "0 of 5,000 decided"
    assert page.locator(".cell").count() < 150
    press(page, "End", "k")
    assert page.locator(".cell").count() < 150
    assert page.evaluate("view.at") == 0  # no undecided face after the last: the first again
    page.evaluate("list.scrollTop = list.scrollHeight / 2")
    page.wait_for_function("cells.size && Math.min(...cells.keys()) > 1000")
    assert 2 < len(page.asked) < 30  # the page and some of its 100 sheets


def test_many_classes_are_chosen_from_a_list(context, tmp_path):
    classes = tuple(f"class {number}" for number in range(40))
    write_page(tmp_path / "review", review_rows(classes=classes))
    page = open_page(context, tmp_path / "review")
    name = row(page, 0)[0]
    page.select_option("#others select", label="class 39")
    assert exported(page, tmp_path)[name].label == "class 39"
    second = row(page, 1)[0]
    press(page, "b")
    assert exported(page, tmp_path)[second].label == "class 10"
