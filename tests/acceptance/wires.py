"""The two ends a guard talks to, as they misbehave: a line to the broker that can be cut, a webhook that can refuse."""

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a close resets the connection


class Line:
    """A TCP relay to the exchange on a port of its own: `cut` it, and the broker is unreachable though it runs on;
    `lose` it, and what there is of connections goes nowhere: neither end hears of it."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._lost = threading.Event()
        """Of the connections there are now; those to come have another one."""
        self._is_silent = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Line":
        self.mend()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def mend(self) -> None:
        """Answer on the same port as before."""
        if self._is_silent:
            self._is_silent = False
            self.lose()
        if self._listener is not None:
            return
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and reset those there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        with self._lock:
            for end in self._open:
                _reset(end)
            self._open.clear()

    def silence(self) -> None:
        """Take new connections and answer nothing on them, until it is cut or mended."""
        self._is_silent = True
        self.lose()

    def lose(self) -> None:
        """Half-open from here on: what is sent on a connection of now is taken and never arrives."""
        with self._lock:
            self._lost.set()
            self._lost = threading.Event()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            with self._lock:
                self._open += [near, far]
                lost = self._lost
                if self._is_silent:
                    lost.set()
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink, lost), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, lost: threading.Event) -> None:
    try:
        while data := source.recv(65536):
            if not lost.is_set():
                sink.sendall(data)
        if not lost.is_set():
            sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _reset(end: socket.socket) -> None:
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # its other side was faster
    end.close()


class Webhook:
    """Where alerts go: it keeps what it took, and refuses everything while `works` is false."""

    def __init__(self) -> None:
        self.works = True
        self.taken: list[dict[str, Any]] = []
        self.refused = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.works:
                    outer.taken.append(json.loads(body))
                else:
                    outer.refused += 1
                self.send_response(200 if outer.works else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Nothing: what was taken is asserted, not read."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """As Apprise writes a JSON webhook."""
        return f"json://127.0.0.1:{self._server.server_address[1]}/"

    def texts(self, *words: str) -> list[str]:
        """Messages taken that hold all the words."""
        return [each["message"] for each in self.taken if all(word in each["message"] for word in words)]

    def __enter__(self) -> "Webhook":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
