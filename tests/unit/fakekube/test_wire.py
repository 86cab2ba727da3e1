"""The server on a socket: limits, keep-alive, streams, TLS, many at once."""

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

import pytest

from fakekube import wire
from fakekube.server import Kube
from fakekube.serving import ServerThread

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def server():
    with ServerThread() as running:
        yield running


@contextlib.contextmanager
def line(server):
    with socket.create_connection((server.host, server.port), timeout=10) as raw:
        yield raw


def read(raw, until=b"\r\n\r\n"):
    found = b""
    while until not in found:
        part = raw.recv(65536)
        if not part:
            break
        found += part
    return found


def test_requests_in_one_packet_are_answered_in_order(server):
    with line(server) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\n\r\nGET /nothing HTTP/1.1\r\n\r\n")
        found = read(raw, b"page not found\n")
    assert found.index(b"200 OK") < found.index(b"404 Not Found")


def test_a_connection_can_be_for_one_request(server):
    with line(server) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert read(raw, b"never").endswith(b"ok")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * wire.HEADER_LIMIT + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: 9" + b"9" * 30 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 400),
    ],
)
def test_bad_requests_end_the_connection(server, request_, code):
    with line(server) as raw:
        raw.sendall(request_)
        assert read(raw, b"never").startswith(b"HTTP/1.1 %d " % code)


def test_a_body_may_be_asked_for_and_come_in_chunks(server):
    with line(server) as raw:
        raw.sendall(
            b"POST %b HTTP/1.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" % MAPS.encode()
        )
        assert read(raw) == b"HTTP/1.1 100 Continue\r\n\r\n"
        body = json.dumps({"metadata": {"generateName": "a-"}}).encode()
        raw.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        assert read(raw).startswith(b"HTTP/1.1 201 Created")


def test_a_client_that_vanishes_is_forgotten(server):
    with line(server) as raw:
        raw.sendall(b"GET %b?watch=1 HTTP/1.1\r\n\r\n" % MAPS.encode())
        read(raw)
        assert server.kube.watches.open_streams
    end = time.monotonic() + 10
    while server.kube.watches.open_streams and time.monotonic() < end:
        time.sleep(0.01)  # noqa: TID251 - so does a socket
    assert not server.kube.watches.open_streams


def test_a_client_that_does_not_read_cannot_wedge_the_server(server):
    with line(server) as raw:
        raw.sendall(b"GET %b?watch=1 HTTP/1.1\r\n\r\n" % MAPS.encode())
        read(raw)
        body = {"metadata": {"name": "large"}, "data": {"a": "x" * 900_000}}
        for number in range(30):
            body["data"]["b"] = str(number)
            method = "PUT" if number else "POST"
            path = f"{MAPS}/large" if number else MAPS
            ask(server, method, path, body)
        assert not server.kube.watches.open_streams


def ask(server, method, path, body=None, context=None, **headers):
    data = json.dumps(body).encode() if body is not None else None
    if data is not None:
        headers["Content-Type"] = "application/json"
    url = server.url + path
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - our own
    opened = urllib.request.urlopen(request, timeout=10, context=context)  # noqa: S310 - our own
    with opened as answer:
        return json.loads(answer.read())


def test_events_arrive_within_milliseconds(server):
    waits = []
    with line(server) as raw:
        rv = ask(server, "GET", MAPS)["metadata"]["resourceVersion"]
        path = f"{MAPS}?watch=1&resourceVersion={rv}&labelSelector=quick"
        raw.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        read(raw)
        for number in range(20):
            body = {"metadata": {"name": f"q{number}", "labels": {"quick": ""}}}
            start = time.monotonic()
            ask(server, "POST", MAPS, body)
            assert b"ADDED" in raw.recv(65536)
            waits.append(time.monotonic() - start)
    # The median: a busy machine may be slow for once.
    assert sorted(waits)[10] < 0.05


def test_certificates_tell_who_asks(tmp_path):
    with ServerThread(Kube(use_rbac=True), tls=True) as server:
        path = server.write_kubeconfig(tmp_path / "kubeconfig")
        config = json.loads(path.read_text(encoding="utf-8"))
        assert config["clusters"][0]["cluster"]["server"] == server.url
        trust = ssl.create_default_context(cadata=server.authority.pem().decode())
        certificate, key = server.authority.client("jane", ["system:masters"])
        (tmp_path / "pair.pem").write_bytes(certificate + key)
        known = ssl.create_default_context(cadata=server.authority.pem().decode())
        known.load_cert_chain(tmp_path / "pair.pem")
        question = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        found = ask(server, "POST", who, question, known)["status"]["userInfo"]
        assert found["username"] == "jane"
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(server, "GET", MAPS, context=trust)
        assert caught.value.code == 403
        caught.value.close()


def test_many_servers_run_in_one_process():
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(ServerThread()) for _ in range(5)]
        ask(servers[0], "POST", MAPS, {"metadata": {"name": "only-here"}})
        counts = [len(ask(server, "GET", MAPS)["items"]) for server in servers]
    assert [count - min(counts) for count in counts] == [1, 0, 0, 0, 0]


def test_the_command_keeps_its_state(tmp_path):
    (tmp_path / "crd.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: given}\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "fakekube", "--port", "0"]
    command += ["--state", str(tmp_path / "state"), "--kubeconfig", str(tmp_path / "kubeconfig")]
    command += ["--crds", str(tmp_path), "--token", "secret"]
    for expected in (1, 2):
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            said = process.stderr.readline().decode()
            assert said.startswith("fakekube serves http://127.0.0.1:")
            config = json.loads((tmp_path / "kubeconfig").read_text(encoding="utf-8"))
            url = config["clusters"][0]["cluster"]["server"]
            holder = type("Holder", (), {"url": url})
            headers = {"Authorization": "Bearer secret"}
            found = ask(holder, "GET", MAPS, **headers)["items"]
            assert len(found) == expected
            ask(holder, "POST", MAPS, {"metadata": {"name": "kept"}}, **headers) if len(
                found
            ) == 1 else None
            process.terminate()
            assert process.wait(10) == 0
