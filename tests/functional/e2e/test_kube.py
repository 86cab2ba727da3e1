"""What a server of a Kubernetes API answers is told apart from what is there."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from e2e.kube import Kube
from e2e.waits import Unmet


@contextlib.contextmanager
def served(*codes):
    """Serve these answers, one after the other, and the last one for ever."""
    left = list(codes)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            code = left.pop(0) if len(left) > 1 else left[0]
            body = json.dumps({"items": [], "message": f"It is {code}."}).encode()
            self.send_response(code)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Kube(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_asks_to_come_later_is_asked_again():
    with served(429, 429, 200) as kube:
        assert kube.items("v1", "secrets") == []


def test_a_server_that_is_never_ready_is_quoted():
    with served(429) as kube, pytest.raises(SystemExit, match=r"429 .*It is 429\."):
        kube.items("v1", "secrets")


def test_only_what_is_not_found_is_not_there():
    with served(404, 500, 200) as kube:
        assert kube.get("v1", "secrets", "first") is None
        with pytest.raises(Unmet, match=r"500 .*It is 500\."):
            kube.get("v1", "secrets", "first")
        assert kube.get("v1", "secrets", "first")
