"""The server of the review page: what it serves, to whom, and what it writes."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest

import ferclean
from ferclean.errors import FercleanError
from ferclean.steps import review as review_step
from ferclean.steps.review import find_page
from ferclean.steps.review_server import HOST, DecisionFile, ReviewServer
from ferclean.tables.review import read_review
from fixtures.review_pages import write_page

pytestmark = pytest.mark.slow

SOURCE = Path(ferclean.__file__).resolve().parents[1]

DECISION = {
    "sample_id": "face-00000", "given": "sad", "decision": "relabel", "label": "happy",
    "reviewer": "Ann", "time": "2026-01-31T12:00:00Z",
}  # fmt: skip


@pytest.fixture
def server(tmp_path):
    write_page(tmp_path / "review")
    file = DecisionFile(tmp_path / "data" / "review.csv")
    with ReviewServer(tmp_path / "review", file, reviewer="Ann", port=0) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def ask(server, method="GET", name="", body=None, path=None, **headers):
    """Return status, text and headers of an answer."""
    connection = http.client.HTTPConnection(HOST, server.server_port, timeout=10)
    url = f"/{server.token}/{name}" if path is None else path
    sent = {key.replace("_", "-"): value for key, value in headers.items() if value is not None}
    connection.request(method, url, body, sent)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer.headers


def post(server, body, **headers):
    given = {"Origin": f"http://{server.hosts[0]}", "Content_Type": "application/json", **headers}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(server, "POST", "decisions", text, **given)


def change(*decided, cleared=()):
    return {"decisions": list(decided), "cleared": list(cleared)}


def test_page_and_faces_are_served_with_a_strict_policy(server):
    status, page, headers = ask(server)
    assert status == 200 and b"Review of labels" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    (sheet, *_) = re.findall(rb"faces-0000-[0-9a-f]{12}\.jpg", page)
    status, face, headers = ask(server, name=sheet.decode())
    assert (status, face[:2], headers["Content-Type"]) == (200, b"\xff\xd8", "image/jpeg")


def test_decisions_are_written_replaced_and_cleared(server):
    file = server.decisions.path
    assert not file.exists()
    assert post(server, change(DECISION))[0] == 200
    assert [row.label for row in read_review(file)] == ["happy"]
    other = DECISION | {"sample_id": "face-00001", "decision": "not_a_face", "label": ""}
    assert post(server, change(DECISION | {"label": "fear"}, other))[0] == 200
    assert [row.label for row in read_review(file)] == ["fear", ""]
    assert post(server, change(cleared=["face-00000", "face-77777"]))[0] == 200
    assert [row.sample_id for row in read_review(file)] == ["face-00001"]
    found = json.loads(ask(server, name="decisions")[1])
    assert found == {"file": str(file), "reviewer": "Ann", "decisions": [other]}


def test_rows_that_the_page_does_not_know_stay_in_the_file(server):
    file = server.decisions.path
    file.parent.mkdir()
    file.write_text(
        "sample_id,given,decision,label,reviewer,time\nelsewhere,x,keep,x,Bo,2025-01-01T00:00:00Z\n"
    )
    post(server, change(DECISION))
    assert [row.sample_id for row in read_review(file)] == ["elsewhere", "face-00000"]


def test_many_at_once_lose_nothing(server):
    rows = [DECISION | {"sample_id": f"face-{row:05d}"} for row in range(24)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: post(server, change(row))[0], rows))
    assert answers == [200] * 24
    assert len(read_review(server.decisions.path)) == 24


DECIDE = """
    import sys, time
    from pathlib import Path
    from ferclean.steps import review_server
    from ferclean.tables.review import Decision

    write = review_server.write_review

    def write_late(rows, path):  # time enough for the other process to read what is there
        time.sleep(0.02)
        write(rows, path)

    review_server.write_review = write_late
    file = review_server.DecisionFile(Path(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(12):
        name = f"{sys.argv[2]}-{number:02d}"
        row = Decision(name, "sad", "keep", "sad", "Ann", "2026-01-31T12:00:00Z")
        file.change([row], [])
"""


def test_two_servers_of_one_file_lose_nothing(tmp_path):
    file = tmp_path / "review.csv"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(DECIDE), str(file), name],
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("a", "b")
    ]  # fmt: skip
    assert [process.stdout.readline() for process in started] == ["ready\n"] * 2
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in started:
        process.communicate(timeout=60)
        assert process.returncode == 0
    kept = [row.sample_id for row in read_review(file)]
    assert kept == [f"{name}-{number:02d}" for name in ("a", "b") for number in range(12)]
    assert [path.name for path in tmp_path.iterdir()] == ["review.csv"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": None}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Length": str(2**25)}, 413),
        ({"Content_Length": "-1"}, 413),
    ],
)
def test_other_sites_cannot_decide(server, headers, status):
    assert post(server, change(DECISION), **headers)[0] == status
    assert not server.decisions.path.exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "not JSON with decisions and cleared"),
        (b"[" * 100_000, "not JSON with decisions and cleared"),
        ([], "not JSON with decisions and cleared"),
        ({"decisions": {}, "cleared": []}, "must be lists"),
        (change("x"), "a decision must be a mapping"),
        (change(cleared=[3]), "cleared must hold texts"),
        (change(DECISION | {"label": "sad"}), "relabel needs a label other than"),
        (change(DECISION, DECISION | {"time": "now"}), "time must be ISO 8601"),
        (change(DECISION | {"reviewer": None}), "reviewer must be a text"),
    ],
)
def test_odd_decisions_are_refused_whole(server, body, sentence):
    status, told, _ = post(server, body)
    assert status == 400 and sentence in told.decode()
    assert not server.decisions.path.exists()


@pytest.mark.parametrize(
    "path",
    ["/", "/index.html", "/wrong-token/", "/wrong-token/decisions", "//", "/{token}"],
)
def test_without_the_token_there_is_nothing(server, path):
    assert ask(server, path=path.replace("{token}", server.token))[0] == 404


@pytest.mark.parametrize(
    "name", ["../data/review.csv", "%2e%2e/x", "faces-0000-0123456789ab.jpg/../x", "x.csv"]
)
def test_no_other_file_is_served(server, name):
    assert ask(server, name=name)[0] == 404


def test_it_listens_on_this_machine_only_and_under_its_own_names(server):
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server, Host=f"localhost:{server.server_port}")[0] == 200
    assert ask(server, Host="rebound.example")[0] == 403
    assert len(server.token) >= 32


def test_a_broken_file_is_told_and_never_overwritten(server):
    file = server.decisions.path
    file.parent.mkdir()
    file.write_text("mine\n")
    assert post(server, change(DECISION))[0] == 400
    status, told, _ = ask(server, name="decisions")
    assert status == 409 and b"must have the columns" in told
    assert file.read_text() == "mine\n"


def test_mistakes_before_the_start_are_one_sentence(tmp_path):
    with pytest.raises(FercleanError, match="holds no review page"):
        find_page(tmp_path)
    write_page(tmp_path / "audit" / "review")
    assert find_page(tmp_path / "audit") == tmp_path / "audit" / "review"
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        for bad in (port, 70_000):
            with pytest.raises(FercleanError, match=f"--port {bad} cannot be used"):
                ReviewServer(tmp_path, DecisionFile(tmp_path / "r.csv"), reviewer="A", port=bad)


def test_the_command_serves_until_it_is_interrupted(tmp_path, monkeypatch, capsys):
    write_page(tmp_path / "review")
    opened = []

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(review_step.webbrowser, "open", opened.append)
    monkeypatch.setattr(ReviewServer, "serve_forever", interrupted)
    monkeypatch.setattr(review_step.getpass, "getuser", lambda: "Cleo")
    review_step.review(
        audit=tmp_path, decisions=tmp_path / "r.csv", reviewer=None, port=0, open_browser=True
    )
    told = capsys.readouterr().err
    assert opened[0].startswith("http://127.0.0.1:") and opened[0] in told
    assert told.count(f"0 decisions in {tmp_path / 'r.csv'}") == 2
