"""A view of a training while it runs: the film's page, from a small server on this machine."""

import json
import re
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..._checks import Port, checked
from ..._progress import say
from . import film_page
from .film import Film
from .vitals import Vitals

PORT = 8017


class Live:
    """Serves the page of a film while a training records it.

        film = mg.watch.Film(gan, data, moments=mg.watch.moments(steps, 60))
        with mg.watch.Live(film):
            mg.train(gan, data, steps=steps, callback=film)

    The page is at http://127.0.0.1:PORT/, for browsers of this machine alone, and gets new frames
    as they are recorded. It may be opened and closed at any time: a separate thread serves it. If
    the port is taken, one line says so, and there is no page.

    Parameters
    ----------
    film : Film
    vitals : Vitals, optional
        Whose measurements the page shows as charts.
    port : int
        0: any that is free.

    Attributes
    ----------
    address : str or None
        Of the page; None if there is none.
    """

    @checked
    def __init__(
        self,
        film: Film,
        vitals: Vitals | None = None,
        *,
        port: Port = PORT,
    ) -> None:
        self.film, self.vitals = film, vitals
        self.over = False
        self.address: str | None = None
        self._server: ThreadingHTTPServer | None = None
        try:
            self._server = _Server(("127.0.0.1", port), _handler(self))
        except OSError as error:
            say(f"There is no live view: port {port} cannot be used ({error.strerror}).")
            return
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True, name="live view").start()
        say(f"Live view: {self.address} (open or close it at any time).")

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *error: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Tells the page that the run is over; it is served until the program ends or `close`."""
        self.over = True

    def close(self) -> None:
        """Ends the server."""
        self.over = True
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = self.address = None

    def page(self) -> str:
        title = "A GAN, while it learns"
        return film_page.page(self.film, self.vitals, title=title, live=True)

    def news(self, first: int) -> dict[str, Any]:
        """The frames from the one of that index on, and all charts."""
        over, frames = self.over, self.film.frames[first:]
        return {
            "over": over,
            "frames": [film_page.encoded(self.film, frame) for frame in frames],
            "groups": film_page.groups(self.vitals),
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"  # where two servers could then share a port

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's also asks the network for a name
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that is closed during an answer is not reported."""


def _handler(live: Live) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = re.fullmatch(r"/frames\?from=(\d{1,9})", self.path)
            if self.path == "/":
                self.answer(live.page(), "text/html")
            elif found:
                self.answer(json.dumps(live.news(int(found[1]))), "application/json")
            else:
                self.send_error(404)

        def answer(self, text: str, kind: str) -> None:
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Prints nothing: the progress bar is shown there."""

    return Handler
