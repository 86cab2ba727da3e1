"""A webhook over TLS on loopback, which answers as a test wants, and remembers the questions."""

import base64
import http.server
import json
import ssl
import threading

from tools import certificates


class HookServer:
    """Answers by path: a function of the review gives the response, or a raw answer."""

    def __init__(self, folder, hosts=("127.0.0.1", "localhost")):
        authority = certificates.Authority(folder, "ca")
        pair = authority.server("hook", hosts)
        self.ca = base64.b64encode(authority.certificate.read_bytes()).decode()
        self.answers = {}
        self.seen = []
        self._server = _server(self)
        self.port = self._server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def client(self, path, **changes):
        """Return the ``clientConfig`` of a path."""
        return {"url": self.url + path, "caBundle": self.ca} | changes

    def asked(self, path):
        """Return the requests of all reviews that came to a path."""
        return [review["request"] for where, review in list(self.seen) if where == path]

    def answer(self, path, review):
        """Return status, content type and body of an answer."""
        self.seen.append((path, review))
        make = self.answers.get(path, lambda _: {"allowed": True})
        found = make(review)
        if isinstance(found, Raw):
            return found.code, found.content_type, found.body
        response = {"uid": review["request"]["uid"], **found}
        whole = {
            "apiVersion": review["apiVersion"],
            "kind": review["kind"],
            "response": response,
        }
        return 200, "application/json", json.dumps(whole).encode()


class Raw:
    """An answer that is no review."""

    def __init__(self, body, code=200, content_type="application/json"):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.code = code
        self.content_type = content_type


def patch(*operations):
    """Return the response with a patch."""
    raw = json.dumps(list(operations)).encode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(raw).decode()}


def _server(hooks):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        # Head and body are written one after the other, and nobody is to wait for more.
        disable_nagle_algorithm = True

        def do_POST(self):
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code, content_type, body = hooks.answer(self.path.partition("?")[0], review)
            self.send_response(code)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            """Say nothing about a client that went away."""

    return Server(("127.0.0.1", 0), Handler)
