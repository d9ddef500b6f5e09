"""A web server on this machine that behaves as badly as it is told to."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """Files by path, and how they are served; `asked` lists what was asked for: path and Range header.

    `breaks` cuts off each of the next answers after so many bytes; `statuses` are given in place of the next answers.
    """

    files: dict[str, bytes]
    ranges: bool = True
    names_versions: bool = True
    says_length: bool = True
    breaks: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    held: threading.Event | None = None
    address: str = ""


class _Handler(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.0"

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        site, path = self.site, self.path.lstrip("/")
        wanted = self.headers.get("Range")
        site.asked.append((path, wanted))
        if site.statuses:
            self.send_error(site.statuses.pop(0))
        elif path not in site.files:
            self.send_error(404)
        else:
            self._answer(site.files[path], wanted)

    def _answer(self, content: bytes, wanted: str | None) -> None:
        site, start = self.site, 0
        version = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        if wanted and site.ranges and self.headers.get("If-Range") in (None, version):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if site.names_versions:
            self.send_header("ETag", version)
        if site.says_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + site.breaks.pop(0) if site.breaks else len(content)
        self.wfile.write(content[start:end])
        self.wfile.flush()
        if site.held and end < len(content):
            site.held.wait(60)


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve the site on a free port; its `address` is set."""
    handler = type("Handler", (_Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            if site.held:
                site.held.set()
            server.shutdown()
            thread.join()
