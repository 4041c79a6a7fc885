"""The documentation: links lead somewhere in the repository, and the site builds from it."""

from __future__ import annotations

import html
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from fixtures.pages import anchors, code_blocks, links

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
PARTS = ("audit", "partition", "relabel", "losses", "noise", "evaluate", "methods")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_anchor_leads_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file(), target
        if anchor:
            assert anchor in anchors(file), target
        if page in DOCS:  # the site knows nothing outside of docs
            assert file.is_relative_to(ROOT / "docs"), target


def test_every_page_is_in_the_navigation():
    # Lines with a tag of Python would need mkdocs to be read; there are none.
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    listed = [page for part in nav for group in part.values() for page in group]
    pages = [path for page in listed for path in page.values()]
    assert sorted(pages) == [str(page.relative_to(ROOT / "docs")) for page in DOCS]


def test_every_picture_in_the_docs_is_used():
    shown = {(page.parent / target).resolve() for page in PAGES for target in links(page)}
    assert set((ROOT / "docs" / "images").iterdir()) <= shown


def test_code_blocks_of_python_and_yaml_are_sound():
    seen = 0
    for page in PAGES:
        for language, _, text in code_blocks(page):
            seen += language in ("python", "yaml")
            if language == "python":
                compile(text, str(page), "exec")
            elif language == "yaml":
                assert isinstance(yaml.safe_load(text), dict), page
    assert seen >= 8


class Reader(HTMLParser):
    """Collects what a page loads, where it links to, and its ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.leads.append(found["href"])
        elif tag == "link" and found.get("rel") != "canonical":
            self.loads.append(found["href"])
        elif "src" in found:
            self.loads.append(found["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    needed = {"material": "mkdocs-material", "mkdocstrings_handlers": "mkdocstrings-python"}
    absent = [package for name, package in needed.items() if not importlib.util.find_spec(name)]
    if absent:
        pytest.skip(f"the site cannot be built: {' and '.join(absent)} not installed (extra docs)")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def pages_of(site: Path) -> dict[Path, Reader]:
    return {
        page: Reader(page.read_text(encoding="utf-8"))
        for page in sorted(site.rglob("*.html"))
        if page.name != "404.html"  # served from any address, so its links are absolute
    }


@pytest.mark.slow
def test_the_site_loads_nothing_from_the_network(site):
    pages = pages_of(site)
    assert len(pages) == len(DOCS)
    for page, read in pages.items():
        assert read.loads
        for target in read.loads:
            path = unquote(target.partition("#")[0].partition("?")[0])
            assert not re.match(r"([a-z]+:)?//", target), f"{page.name} loads {target}"
            assert target.startswith("data:") or (page.parent / path).is_file(), target
    for style in (ROOT / "docs" / "site").glob("*.css"):
        assert "//" not in style.read_text(encoding="utf-8").replace("://www.w3.org", "")


@pytest.mark.slow
def test_links_and_anchors_of_the_site_lead_somewhere(site):
    pages, checked = pages_of(site), 0
    for page, read in pages.items():
        for target in read.leads:
            path, _, anchor = unquote(html.unescape(target)).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            file = (page.parent / path).resolve() if path else page
            assert file.is_file(), f"{page.name}: {target}"
            if anchor and file.suffix == ".html":
                assert anchor in pages[file].ids, f"{page.name}: {target}"
            checked += 1
    assert checked > 500


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_the_reference_holds_every_public_function_and_class(site, part):
    ids = Reader((site / "reference" / f"{part}.html").read_text(encoding="utf-8")).ids
    for file in sorted((ROOT / "src" / "ferclean" / part).glob("[a-z]*.py")):
        for name in re.findall(r"^(?:def|class) ([a-zA-Z]\w*)", file.read_text(), re.MULTILINE):
            assert f"ferclean.{part}.{file.stem}.{name}" in ids


@pytest.mark.slow
def test_the_search_finds_pages_opened_from_disk(site, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not installed")
    address = f"{(site / 'slurm.html').as_uri()}?q=prototypes"
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
         "--virtual-time-budget=20000", "--dump-dom", address],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    results = done.stdout.split("md-search-result__list")[1]
    found = {Path(target).name for target in re.findall(r'href="([^"#?]+)', results)}
    assert "methods.html" in found, done.stderr[-2000:]
