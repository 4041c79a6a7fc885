"""Serve a review page on this machine alone, and keep its decisions in a file."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from ferclean.errors import FercleanError
from ferclean.tables.locks import one_writer
from ferclean.tables.review import Decision, make_decision, read_review, write_review

HOST = "127.0.0.1"
# A hundred thousand decisions at once.
_LARGEST_BODY = 2**24
_SHEET = re.compile(r"faces-\d{4,}-[0-9a-f]{12}\.jpg")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class DecisionFile:
    """The review file; each change is read, made and written whole, one at a time.

    Several servers, of several audits too, may keep one file.

    Parameters
    ----------
    path : Path
        ``review.csv``; it appears with the first decision.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()

    def read(self) -> list[Decision]:
        """Return all decisions, none where there is no file yet."""
        return read_review(self.path) if self.path.exists() else []

    def change(self, decided: Sequence[Decision], cleared: Sequence[str]) -> None:
        """Put decisions in the place of earlier ones about the same samples; forget others."""
        # The first lock is for this server's threads where the file system has none of its own.
        with self._lock, one_writer(self.path):
            rows = {row.sample_id: row for row in self.read()}
            rows.update({row.sample_id: row for row in decided})
            for name in cleared:
                rows.pop(name, None)
            write_review(rows.values(), self.path)


class ReviewServer(ThreadingHTTPServer):
    """One page behind an address that nobody can guess.

    Parameters
    ----------
    page : Path
        Folder of the review page.
    decisions : DecisionFile
    reviewer : str
        Name that stands in the page until the person writes another.
    port : int
        0 takes a free one.

    Raises
    ------
    FercleanError
        If the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, page: Path, decisions: DecisionFile, *, reviewer: str, port: int) -> None:
        self.page, self.decisions, self.reviewer = page, decisions, reviewer
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FercleanError(f"--port {port} cannot be used: {reason}") from None
        # Another name in a request's header means that another site's address leads here.
        self.hosts = [f"{name}:{self.server_port}" for name in (HOST, "localhost")]

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the page."""
        return f"http://{self.hosts[0]}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        name = self._name()
        if name is None:
            return
        if name == "decisions":
            self._send_decisions()
        elif name in ("", "index.html"):
            self._send_file("index.html", "text/html; charset=utf-8")
        elif _SHEET.fullmatch(name):
            self._send_file(name, "image/jpeg", {"Cache-Control": "private, max-age=86400"})
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such file")

    def do_POST(self) -> None:
        body = self._body()
        name = None if body is None else self._name()
        if name is None or body is None:
            return
        if name != "decisions":
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such file")
        elif self.headers.get("Origin") not in [f"http://{host}" for host in self.server.hosts]:
            self._refuse(HTTPStatus.FORBIDDEN, "only the review page itself may decide")
        elif self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "decisions come as JSON")
        else:
            self._change(body)

    def _change(self, body: bytes) -> None:
        try:
            self.server.decisions.change(*_parsed(body))
        except FercleanError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._send(HTTPStatus.OK, b"{}", "application/json")

    def _send_decisions(self) -> None:
        server = self.server
        try:
            rows = server.decisions.read()
        except FercleanError as error:
            self._refuse(HTTPStatus.CONFLICT, str(error))
            return
        found = {
            "file": str(server.decisions.path),
            "reviewer": server.reviewer,
            "decisions": [asdict(row) for row in rows],
        }
        self._send(HTTPStatus.OK, json.dumps(found).encode(), "application/json")

    def _name(self) -> str | None:
        """Return what is asked for below the token, or answer and return nothing."""
        if self.headers.get("Host") not in self.server.hosts:
            self._refuse(HTTPStatus.FORBIDDEN, "this page is served to this machine only")
            return None
        _, _, rest = self.path.partition("?")[0].partition("/")
        token, slash, name = rest.partition("/")
        if not slash or not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")
            return None
        return name

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _LARGEST_BODY:
            self.close_connection = True  # what was not read is no next request
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the length is missing or too large")
            return None
        return self.rfile.read(int(length))

    def _send_file(self, name: str, kind: str, more: Mapping[str, str] | None = None) -> None:
        try:
            content = (self.server.page / name).read_bytes()
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND, "the page is gone: audit again")
            return
        self._send(HTTPStatus.OK, content, kind, more or {})

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        self._send(status, sentence.encode(), "text/plain; charset=utf-8")

    def _send(
        self, status: HTTPStatus, content: bytes, kind: str, more: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **(more or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of single requests."""


def _parsed(body: bytes) -> tuple[list[Decision], list[str]]:
    try:
        found = json.loads(body)
        decided, cleared = found["decisions"], found["cleared"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FercleanError("not JSON with decisions and cleared") from None
    if not isinstance(decided, list) or not isinstance(cleared, list):
        raise FercleanError("decisions and cleared must be lists")
    if not all(isinstance(row, dict) for row in decided):
        raise FercleanError("a decision must be a mapping")
    if not all(isinstance(name, str) for name in cleared):
        raise FercleanError("cleared must hold texts")
    return [make_decision(row) for row in decided], cleared
