"""What only HTTP has: paths, methods, headers, bodies, connections."""

import concurrent.futures
import http.client
import json
import socket

import pytest

from fakecloud import FakeCloud, ServerThread


@pytest.fixture
def server():
    with ServerThread(FakeCloud()) as running:
        yield running


@pytest.fixture
def http_(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    yield connection
    connection.close()


def ask(connection, method="POST", path="/api/v1/ReadNets", body="", headers=None):
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response, response.read()


def raw(server, data, *, shut=False):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        link.sendall(data)
        if shut:
            link.shutdown(socket.SHUT_WR)
        chunks = []
        while chunk := link.recv(65536):
            chunks.append(chunk)
        return b"".join(chunks)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/ReadNets",
        "/api/v1/ReadNets/",
        "//api//v1//ReadNets",
        "/api/V1/ReadNets",
        "/api/latest/ReadNets",
        "/api/v1/api/v1/ReadNets",
        "/ReadNets",
        "/oapi/v0/ReadNets",
        "/api/v1/ReadNets?x=1",
    ],
)
def test_the_paths_that_clients_send(http_, path):
    response, body = ask(http_, path=path)
    assert response.status == 200, body


def test_the_headers_of_a_success_and_of_a_refusal(http_):
    response, body = ask(http_)
    assert response.headers["Content-Type"] == "application/json"
    assert int(response.headers["Content-Length"]) == len(body)
    for name in (
        "Access-Control-Allow-Origin", "Date", "Referrer-Policy", "Strict-Transport-Security",
        "X-Content-Type-Options", "X-Frame-Options", "X-Xss-Protection",
    ):  # fmt: skip
        assert name in response.headers
    refused, _ = ask(http_, path="/api/v1/CreateNet")
    assert refused.status == 400
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Frame-Options" not in refused.headers


def test_answers_are_compact(http_):
    _, body = ask(http_)
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_only_post_is_allowed(http_, method):
    response, _ = ask(http_, method=method)
    assert response.status == 405


def test_preflight(http_):
    response, _ = ask(http_, method="OPTIONS")
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Methods"] == "OPTIONS,POST"


def test_the_index_of_the_api(http_):
    _, body = ask(http_, path="/api")
    assert json.loads(body)["Versions"] == ["v1"]
    _, body = ask(http_, path="/api/v1")
    assert len(json.loads(body)["Calls"]) == 236


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "4095"),
        ("[]", "4110"),
        ("7", "4110"),
        ('"x"', "4110"),
        ("null", "4110"),
        ("\xff\xfe", "4095"),
        ('{"Filters": {"NetIds": "vpc-1"}}', "4110"),
        ("[" * 100_000, "4095"),
        ('{"a":' * 100_000, "4095"),
        ('{"Filters": null}', "4110"),
        ("NaN", "4095"),
    ],
)
def test_a_malformed_body_gets_an_error_and_the_server_lives(http_, body, code):
    response, answer = ask(http_, body=body.encode("latin-1"))
    assert response.status == 400
    assert json.loads(answer)["Errors"][0]["Code"] == code
    response, _ = ask(http_)
    assert response.status == 200


def test_a_huge_body_is_refused_before_it_is_read(server):
    head = b"POST /api/v1/ReadNets HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    answer = raw(server, head + b"x" * (9 * 1024 * 1024))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"Errors"' in answer


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"POST\r\n\r\n",
        b"POST /api/v1/ReadNets HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v1/ReadNets HTTP/1.1\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on a plain port.
    ],
)
def test_what_is_no_http_gets_a_400_and_a_closed_door(server, http_, data):
    answer = raw(server, data)
    assert answer.startswith(b"HTTP/1.1 400")
    assert ask(http_)[0].status == 200


def test_a_truncated_request_changes_nothing(server, http_):
    body = b'{"IpRange":"10.0.0.0/16"}'
    head = b"POST /api/v1/CreateNet HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    assert raw(server, head % (len(body) + 1) + body, shut=True) == b""
    assert json.loads(ask(http_)[1])["Nets"] == []


def test_a_client_that_vanishes_before_its_answer_costs_nothing(server, http_):
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", server.port)) as link:
            link.sendall(b"POST /api/v1/ReadNets HTTP/1.1\r\nHost: x\r\n")
    assert ask(http_)[0].status == 200


def test_pipelined_requests_are_answered_in_order(server):
    one = b"POST /api/v1/ReadNets HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    two = b"POST /api/v1/Nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    answer = raw(server, one + one + two + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.index(b"HTTP/1.1 404") > answer.rindex(b"HTTP/1.1 200")


def test_a_chunked_body_is_read(server):
    request = (
        b"POST /api/v1/CreateNet HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b'Connection: close\r\n\r\n8\r\n{"IpRang\r\n11\r\ne":"10.0.0.0/16"}\r\n0\r\n\r\n'
    )
    assert raw(server, request).startswith(b"HTTP/1.1 200")


def test_expect_100_continue_is_answered(server):
    request = (
        b"POST /api/v1/ReadNets HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
    )
    answer = raw(server, request)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


def test_64_clients_at_once(server):
    def build(_):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        ids = []
        for _ in range(5):
            _, body = ask(connection, path="/api/v1/CreatePublicIp")
            ids.append(json.loads(body)["PublicIp"]["PublicIpId"])
        connection.close()
        return ids

    server.cloud.set_quota("ip_limit", 1000)
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        made = [id_ for ids in pool.map(build, range(64)) for id_ in ids]
    assert len(set(made)) == 320
    assert len(server.cloud.call("ReadPublicIps")["PublicIps"]) == 320
