"""A server that asks who you are and what you may do: fakekube and the real one, behind one face.

A test module takes the fixture with ``guarded = guarded_world.guarded``.
"""

import base64
import contextlib
import http.client
import itertools
import json
import pathlib
import ssl
import tempfile
import threading
import urllib.parse

import pytest

from fakekube.server import Kube
from fakekube.serving import ServerThread
from tests.contract.kube.client import REAL

WITHIN_S = 20.0
ADMIN = ("admin", ("system:masters",))
NOBODY = None
_numbers = itertools.count()


class Answer:
    """An answer of the server."""

    def __init__(self, code, headers, text):
        self.code = code
        self.headers = headers
        self.text = text

    @property
    def body(self):
        return json.loads(self.text)

    @property
    def message(self):
        return self.body.get("message")

    @property
    def warnings(self):
        return [value for key, value in self.headers if key.lower() == "warning"]

    def __repr__(self):
        return f"{self.code} {self.text}"


class Guarded:
    """One server, and a client for it that can be anybody."""

    def __init__(self, url, authority, pair_of):
        self.url = url
        self._authority = authority
        self._pair_of = pair_of
        self._contexts = {}

    @property
    def is_real(self):
        return type(self) is Real

    def _context(self, user):
        if user not in self._contexts:
            context = ssl.create_default_context(cadata=self._authority)
            if user is not NOBODY:
                with tempfile.TemporaryDirectory() as folder:
                    path = pathlib.Path(folder, "pair.pem")
                    path.write_bytes(self._pair_of(*user))
                    context.load_cert_chain(path)
            self._contexts[user] = context
        return self._contexts[user]

    def ask(self, method, path, body=None, *, user=ADMIN, token=None, headers=()):
        """Send a request as a user, or with a token, or as nobody."""
        context = self._context(NOBODY if token else user)
        place = urllib.parse.urlsplit(self.url).netloc
        connection = http.client.HTTPSConnection(place, context=context, timeout=WITHIN_S)
        with contextlib.closing(connection):
            connection.putrequest(method, path)
            content = json.dumps(body).encode() if body is not None else b""
            given = [*headers, ("Content-Length", str(len(content)))]
            given += [("Authorization", f"Bearer {token}")] if token else []
            if not any(key == "Content-Type" for key, _ in given):
                given.append(("Content-Type", "application/json"))
            for key, value in given:
                connection.putheader(key, value)
            connection.endheaders(content)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read().decode())

    def must(self, method, path, body=None, **options):
        """Send a request that succeeds, and return the object."""
        answer = self.ask(method, path, body, **options)
        assert answer.code < 300, answer
        return answer.body

    @contextlib.contextmanager
    def namespace(self):
        """Make a namespace of its own for a test."""
        name = f"guarded-{next(_numbers)}"
        self.must("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        yield name
        self.ask("DELETE", f"/api/v1/namespaces/{name}")


class Real(Guarded):
    """The real server."""


def eventually(check):
    """Wait until something holds, which on the real server may take a moment."""
    waiting = threading.Event()
    for _ in range(int(WITHIN_S / 0.05)):
        found = check()
        if found:
            return found
        waiting.wait(0.05)
    return check()


def real(plane):
    """Return the real server."""

    def pair_of(name, groups):
        content = json.loads(plane.kubeconfig_for(name, groups).read_text(encoding="utf-8"))
        user = content["users"][0]["user"]
        keys = ("client-certificate-data", "client-key-data")
        return b"".join(base64.b64decode(user[key]) for key in keys)

    return Real(plane.url, plane.ca.read_text(encoding="utf-8"), pair_of)


@contextlib.contextmanager
def fake(**options):
    """Run fakekube with everything that guards it."""
    with ServerThread(Kube(use_rbac=True, **options), tls=True) as server:

        def pair_of(name, groups):
            return b"".join(server.authority.client(name, groups))

        yield Guarded(server.url, server.authority.pem().decode(), pair_of)


@pytest.fixture(scope="module", params=["fakekube", REAL])
def guarded(request):
    if request.param == "real":
        yield real(request.getfixturevalue("control_plane"))
        return
    with fake() as server:
        yield server
