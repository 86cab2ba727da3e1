"""A small HTTP client of either server, which hides nothing of what the server says."""

import contextlib
import http.client
import itertools
import json
import ssl
import time
from urllib import parse

import pytest

TOOLS = ("etcd", "kube-apiserver", "kube-controller-manager")
REAL = pytest.param("real", marks=pytest.mark.tools(*TOOLS))
"""The real server as the parameter of a fixture."""
WITHIN_S = 20.0
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_numbers = itertools.count()


class Answer:
    """An answer: code, headers and body."""

    def __init__(self, response):
        self.code = response.status
        self.headers = response.getheaders()
        self.text = response.read().decode()

    @property
    def body(self):
        return json.loads(self.text)

    @property
    def warnings(self):
        return [value for key, value in self.headers if key.lower() == "warning"]

    def __repr__(self):
        return f"{self.code} {self.text[:2000]}"


class Client:
    """Speaks to one server as an administrator."""

    def __init__(self, name, url, kubeconfig, context=None):
        self.name = name
        self.url = url
        self.kubeconfig = kubeconfig
        self._context = context

    @property
    def is_real(self):
        return self.name == "real"

    def connect(self, timeout=WITHIN_S):
        place = parse.urlsplit(self.url).netloc
        if self._context is None:
            return http.client.HTTPConnection(place, timeout=timeout)
        return http.client.HTTPSConnection(place, timeout=timeout, context=self._context)

    def ask(self, method, path, body=None, *, media=None, **options):
        """Send a request; ``options`` become the query."""
        headers = {"Accept": options.pop("accept", "application/json"), "User-Agent": "contract"}
        if body is not None:
            headers["Content-Type"] = media or (MERGE if method == "PATCH" else "application/json")
            body = body if isinstance(body, str) else json.dumps(body)
        if options:
            path += "?" + parse.urlencode(options)
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())

    def must(self, method, path, body=None, **options):
        """Send a request that succeeds, and return its body."""
        answer = self.ask(method, path, body, **options)
        assert answer.code < 300, answer
        return answer.body

    def refused(self, method, path, body=None, **options):
        """Send a request that is refused, and return the Status without the code."""
        answer = self.ask(method, path, body, **options)
        assert answer.code >= 400, answer
        assert answer.body["code"] == answer.code
        return answer.body

    def has(self, path):
        return self.ask("GET", path).code == 200

    @contextlib.contextmanager
    def watch(self, path, **options):
        """Watch; the value gives the events one after the other."""
        with contextlib.closing(self.connect()) as connection:
            query = parse.urlencode({"watch": "true", "timeoutSeconds": 15, **options})
            connection.request("GET", f"{path}?{query}", headers={"Accept": "application/json"})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            yield (json.loads(line) for line in iter(response.readline, b""))

    def events(self, path, count, **options):
        """Return the type and name of as many events."""
        with self.watch(path, **options) as events:
            found = list(itertools.islice(events, count))
        return [(each["type"], each["object"]["metadata"].get("name")) for each in found]

    def new_namespace(self):
        # The control plane is new, so that a number is enough.
        name = f"t{next(_numbers)}"
        self.must("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name


def eventually(condition, within_s=WITHIN_S):
    """Return what a condition gives as soon as it is true."""
    end = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError("It did not happen in time.")
        time.sleep(0.02)  # noqa: TID251 - a real server takes real time
    return found


def config_map(name, data=None, **metadata):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **metadata},
        "data": data or {"a": "b"},
    }


def real_client(plane):
    context = ssl.create_default_context(cafile=plane.ca)
    context.load_cert_chain(plane.client_certificate, plane.client_key)
    return Client("real", plane.url, plane.kubeconfig, context)
