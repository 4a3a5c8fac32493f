"""Images behind https addresses, by a server on this machine: with parts and without, and with bad manners."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cnnvis_report.errors import BadRequest
from tests.data.archives.archive_files import SHADES, pictures, png, read, reasons, shades, write_zip
from tests.extras.needs import needs

needs("fsspec", "aiohttp")

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve files by name, with parts of them or without, and give the address."""
    files: dict[str, bytes] = {}
    manners = {"parts": True, "length": True, "lie": 0}

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(head=True)

        def do_GET(self) -> None:
            self._answer(head=False)

        def _answer(self, *, head: bool) -> None:
            name = self.path.partition("?")[0].lstrip("/")
            if name not in files:
                self.send_error(403 if name == "private.png" else 404)
                return
            content, asked = files[name], self.headers.get("Range")
            if asked and manners["parts"]:
                first, last = asked.removeprefix("bytes=").split("-")
                part = content[int(first) : int(last or len(content)) + 1]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}")
            else:
                part = content
                self.send_response(200)
            if manners["parts"]:
                self.send_header("Accept-Ranges", "bytes")
            if manners["length"]:
                self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            if not head:
                self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def address(name: str, content: bytes, **changed: int) -> str:
        files[name] = content
        manners.update(changed)
        return f"http://127.0.0.1:{server.server_address[1]}/{name}"

    yield address
    server.shutdown()
    server.server_close()


def test_an_archive_is_read_by_parts(serve: Serve, tmp_path: Path) -> None:
    address = serve("p.zip", write_zip(tmp_path / "p.zip", pictures()).read_bytes())
    images = read(f"{address}?key=secret")
    assert shades(images) == {name: SHADES[name] for name in ("cat/1.png", "cat/2.png", "dog/9.png", "dog/10.png")}
    assert "secret" not in str(images.notices) + str([item.name for item in images])


def test_an_image_needs_no_parts(serve: Serve, tmp_path: Path) -> None:
    assert shades(read(serve("a.png", png(7)))) == {"a.png": 7}
    assert shades(read(serve("a.png", png(7), parts=False))) == {"a.png": 7}


def test_an_archive_of_a_server_without_parts_is_one_line(serve: Serve, tmp_path: Path) -> None:
    noise = {"a.bmp": bytes(range(256)) * 100}
    address = serve("p.zip", write_zip(tmp_path / "p.zip", noise, 0).read_bytes(), parts=False)
    with pytest.raises(BadRequest, match="the server doesn't send parts of a file"):
        read(address)


def test_a_server_that_does_not_say_a_size_is_one_line(serve: Serve) -> None:
    with pytest.raises(BadRequest, match="doesn't say how large it is; download it"):
        read(serve("a.png", png(7), parts=False, length=False))


def test_errors_are_one_line(serve: Serve) -> None:
    address = serve("page.html", b"<!doctype html><html>").removesuffix("/page.html")
    with pytest.raises(BadRequest, match="there is nothing at this address"):
        read(f"{address}/gone.png")
    with pytest.raises(BadRequest, match="or nothing that you may read"):
        read(f"{address}/private.png")
    with pytest.raises(BadRequest, match=r"a web page \(\.html\), which isn't read"):
        read(f"{address}/page.html")
    with pytest.raises(BadRequest, match=r"nothing at this address|can't be reached"):
        read("http://127.0.0.1:9/a.png")
    assert reasons(read(serve("empty.png", b"not one"))) != {}
