"""The real client against the simulated cloud: signatures, faults, repeats, pages, silence."""

import concurrent.futures
import contextlib
import gzip
import http.client
import logging
import random
import socket
import threading
from datetime import UTC, datetime

import pytest

import fakecloud
from provider.osc import wire
from provider.osc.client import WAITS_S, Client
from provider.osc.credentials import Credentials
from provider.osc.errors import ApiError, Cause
from provider.osc.limits import Limiter
from provider.osc.pool import Clients

TRIES = len(WAITS_S) + 1
CANARY = "S3CR3TCANARYS3CR3TCANARY0123456789"
ADDRESS = "https://api.eu-west-2.outscale.com"


class CloudClock:
    """Tell the time of a simulated cloud; sleeping moves it."""

    def __init__(self, cloud):
        self.clock = cloud.clock
        self._lock = threading.Lock()

    def now(self):
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def monotonic_s(self):
        return self.clock.now()

    def sleep(self, seconds):
        with self._lock:
            self.clock.advance(seconds)


@pytest.fixture
def cloud():
    return fakecloud.FakeCloud(secret_key=CANARY)


@pytest.fixture
def seen():
    """Hold what the observer was told: (action, outcome, seconds, throttled_s)."""
    return []


@pytest.fixture
def connect(cloud, seen):
    with contextlib.ExitStack() as stack:

        def make(endpoint=f"{ADDRESS}/api/v1", mode="verify", **facts):
            access_key, secret_key = cloud.accounts[cloud.account]
            given = {"access_key": access_key, "secret_key": secret_key, **facts}
            clock = CloudClock(cloud)
            chance = random.Random(7)
            client = Client(
                Credentials(region=cloud.region, endpoint=endpoint, **given),
                Limiter(clock, chance),
                clock,
                chance,
                on_call=lambda *call: seen.append(call),
            )
            client.wire.session.mount(ADDRESS, fakecloud.FakeCloudAdapter(cloud, mode))
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(connect):
    return connect()


def outcomes(seen):
    return [outcome for _, outcome, _, _ in seen]


def refused(client, action, **request):
    with pytest.raises(ApiError) as caught:
        client.call(action, **request)
    return caught.value


def unread(client, action, **request):
    with pytest.raises(ApiError) as caught:
        client.read(action, **request)
    return caught.value


# --- Who calls -----------------------------------------------------------------------------------


def test_a_signed_call_is_carried_out(client, cloud):
    net = client.call("CreateNet", IpRange="10.0.0.0/16")["Net"]
    assert client.read("ReadNets", Filters={"NetIds": [net["NetId"]]}) == [net]
    assert cloud.journal.entries[-1].agent == "caposc"


def test_a_wrong_secret_is_tried_once(connect, seen):
    error = refused(connect(secret_key="wrong"), "ReadNets")
    assert (error.cause, error.status, error.code) == (Cause.DENIED, 401, "1")
    assert len(seen) == 1, "Four wrong signatures lock the key."


def test_a_wrong_secret_locks_nobody_out_who_has_the_right_one(connect, seen):
    wrong = connect(secret_key="wrong")
    errors = [refused(wrong, "ReadNets"), *(refused(wrong, "ReadVms") for _ in range(20))]
    assert {each.code for each in errors} == {"1"}
    assert {each.request_id for each in errors} == {errors[0].request_id}
    assert errors[-1].action == "ReadVms"
    assert len(seen) == 1
    assert connect().read("ReadNets") == []


def meet(client, monkeypatch, within_s):
    """Let calls wait on the wire until two are there; tell afterwards whether that was so."""
    both, send, met = threading.Barrier(2), client.wire.send, []

    def together(action, body):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(within_s)
            met.append(action)
        return send(action, body)

    monkeypatch.setattr(client.wire, "send", together)
    return met


def test_many_who_come_at_once_with_a_wrong_secret_lock_no_key(connect, monkeypatch, seen):
    wrong = connect(secret_key="wrong")
    meet(wrong, monkeypatch, 0.1)
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        errors = list(threads.map(unread, [wrong] * 16, ["ReadNets"] * 16))
    assert {each.code for each in errors} == {"1"}
    assert len(seen) == 1


def test_a_secret_that_is_right_once_is_used_by_many_at_once(connect, monkeypatch):
    client = connect()
    client.read("ReadNets")
    met = meet(client, monkeypatch, 10)
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        assert list(threads.map(client.read, ["ReadNets", "ReadVms"])) == [[], []]
    assert len(met) == 2


def test_who_waits_for_a_turn_is_told_what_was_said_of_the_secret_meanwhile(connect, cloud, seen):
    client = connect()
    client.read("ReadNets")
    take = client._limiter.take

    def take_late():
        client._limiter.take = take
        cloud.faults.add("refuse", action="ReadVms", code=1, times=1)
        assert unread(client, "ReadVms").code == "1"
        return take()

    client._limiter.take = take_late
    assert unread(client, "ReadNets").code == "1"
    assert outcomes(seen) == ["ok", "denied"]


@pytest.mark.parametrize(("waits_s", "calls"), [((59,), 1), ((61,), 2), ((61, 61), 2)])
def test_a_wrong_secret_is_tried_again_after_pauses_that_grow(connect, cloud, seen, waits_s, calls):
    wrong = connect(secret_key="wrong")
    refused(wrong, "ReadNets")
    for each in waits_s:
        cloud.clock.advance(each)
        refused(wrong, "ReadNets")
    assert len(seen) == calls


def test_a_key_that_is_locked_is_let_alone_until_it_is_not(connect, cloud, seen):
    cloud.faults.add("refuse", action="ReadNets", code=13, times=1)
    client = connect()
    assert refused(client, "ReadNets").code == "13"
    assert refused(client, "ReadVms").code == "13"
    cloud.clock.advance(61)
    assert client.read("ReadVms") == []
    assert client.read("ReadNets") == []
    assert len(seen) == 3


def test_an_action_that_the_policy_denies_shuts_no_other(connect, cloud):
    cloud.faults.add("refuse", action="ReadNets", code=5)
    client = connect()
    assert refused(client, "ReadNets").cause is Cause.DENIED
    assert client.read("ReadVms") == []


def test_an_unknown_key_is_denied(connect):
    assert refused(connect(access_key="UNKNOWN"), "ReadNets").cause is Cause.DENIED


def test_the_environment_does_not_leak_into_given_credentials(connect, monkeypatch):
    for name, value in {
        "OSC_LOGIN": "me@example.org",
        "OSC_PASSWORD": "no",
        "OSC_ENDPOINT_API": "https://api.example.org",
        "OSC_PROFILE": "no-such",
        "OSC_CONFIG_FILE": "no/such/file",
        "OSC_X509_CLIENT_CERT": "no/such/certificate",
    }.items():
        monkeypatch.setenv(name, value)
    assert connect().read("ReadNets") == []


def test_a_rotated_secret_needs_no_restart(cloud):
    clock = CloudClock(cloud)
    clients = Clients(clock, random.Random(7))
    access_key, secret_key = cloud.accounts[cloud.account]

    def nets(secret_key):
        given = Credentials(access_key, secret_key, cloud.region, f"{ADDRESS}/api/v1")
        client = clients.client(given)
        client.wire.session.mount(ADDRESS, fakecloud.FakeCloudAdapter(cloud, "verify"))
        return client.read("ReadNets")

    with pytest.raises(ApiError):
        nets("old")
    assert nets(secret_key) == []
    clients.close()


# --- What is sent and what comes back ------------------------------------------------------------


def test_what_is_none_is_left_out(client, cloud):
    client.call("CreateNet", IpRange="10.0.0.0/16", Tenancy=None)
    client.read("ReadNets", Filters={"NetIds": None, "IpRanges": ["10.0.0.0/16", None]})
    sent = [entry.request for entry in cloud.journal]
    assert sent == [{"IpRange": "10.0.0.0/16"}, {"Filters": {"IpRanges": ["10.0.0.0/16"]}}]


def test_a_read_follows_all_pages(client, cloud):
    made = [cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"] for _ in range(5)]
    rows = client.read("ReadPublicIps", ResultsPerPage=2)
    assert [row["PublicIpId"] for row in rows] == made
    assert cloud.journal.actions().count("ReadPublicIps") == 3


def test_a_read_without_pages_is_one_call(client, cloud):
    assert client.read("ReadLoadBalancers") == []
    assert cloud.journal.actions() == ["ReadLoadBalancers"]


def test_a_refusal_keeps_code_type_and_request(client, cloud):
    error = refused(client, "DeleteNet", NetId="vpc-12345678")
    request_id = cloud.journal.entries[-1].request_id
    assert error.cause is Cause.GONE
    said = f"InvalidResource 5065 The NetId 'vpc-12345678' doesn't exist. (request {request_id})"
    assert str(error) == f"DeleteNet: {said}"


# --- What is repeated ----------------------------------------------------------------------------


def test_a_throttled_write_is_repeated(client, cloud, seen):
    cloud.faults.add("refuse", action="CreateNet", code=24, times=2)
    client.call("CreateNet", IpRange="10.0.0.0/16")
    assert outcomes(seen) == ["throttled", "throttled", "ok"]
    assert len(cloud.call("ReadNets")["Nets"]) == 1
    assert seen[2][3] > 0, "It waited for its turn."


@pytest.mark.parametrize("code", [6, 24, 25])
def test_throttling_without_end_is_reported(client, cloud, seen, code):
    cloud.faults.add("refuse", action="CreateNet", code=code)
    assert refused(client, "CreateNet", IpRange="10.0.0.0/16").cause is Cause.THROTTLED
    assert outcomes(seen) == ["throttled"] * TRIES


def test_a_write_whose_answer_is_lost_is_not_repeated(client, cloud, seen):
    cloud.faults.add("lose", action="CreateNet", times=1)
    error = refused(client, "CreateNet", IpRange="10.0.0.0/16")
    assert (error.cause, error.status, error.is_unsent) == (Cause.UNKNOWN, 0, False)
    assert outcomes(seen) == ["unknown"]
    assert len(cloud.call("ReadNets")["Nets"]) == 1


def test_a_write_that_ends_in_an_internal_error_is_not_repeated(client, cloud, seen):
    cloud.faults.add("refuse", action="CreateNet", code=2000, times=1)
    error = refused(client, "CreateNet", IpRange="10.0.0.0/16")
    assert (error.cause, error.status) == (Cause.UNKNOWN, 500)
    assert outcomes(seen) == ["unknown"]


@pytest.mark.parametrize("effect", ["lose", "refuse"])
def test_a_read_without_an_answer_is_repeated(client, cloud, seen, effect):
    cloud.faults.add(effect, action="ReadNets", times=TRIES - 1)
    assert client.read("ReadNets") == []
    assert outcomes(seen) == ["unknown"] * (TRIES - 1) + ["ok"]


@pytest.mark.parametrize("code", [5065, 9085, 10022, 10001, 1, 4014])
def test_a_plain_refusal_is_not_repeated(client, cloud, seen, code):
    cloud.faults.add("refuse", action="ReadNets", code=code)
    refused(client, "ReadNets")
    assert len(seen) == 1


def test_the_limit_of_an_account_is_kept_by_many_threads(client, cloud, seen):
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: client.read("ReadNets"), range(60)))
    assert outcomes(seen) == ["ok"] * 60
    sent = sorted(entry.at for entry in cloud.journal)
    assert sent[-1] - sent[0] >= (60 - 5) / 5 - 0.01


def test_a_stricter_cloud_is_served_in_the_end(client, cloud, seen):
    cloud.faults.add("throttle", limit=2, seconds=1)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: client.read("ReadNets"), range(60)))
    assert outcomes(seen).count("ok") == 60
    assert outcomes(seen).count("throttled") < 30


# --- Real sockets --------------------------------------------------------------------------------


def read_request(connection):
    """Read a whole request: hanging up on the rest of it would reset the connection."""
    with connection.makefile("rb") as stream:
        message = http.client.parse_headers(stream) if stream.readline() else {}
        return stream.read(int(message.get("Content-Length", 0)))


@contextlib.contextmanager
def listener(answer):
    """Serve a real port: read each request, send ``answer``, hang up; keep the bodies."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connections = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connections.append(read_request(connection))
                        if answer is None:
                            connection.settimeout(10)
                            connection.recv(1)  # Until the client gives up.
                        else:
                            for part in answer if isinstance(answer, Drops) else [answer]:
                                connection.sendall(part)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/api/v1", connections
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def response(status, body, kind="application/json", more=""):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n{body}".encode()


def test_a_call_that_found_nobody_is_repeated(connect, seen):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = refused(connect(f"http://127.0.0.1:{port}/api/v1"), "CreatePublicIp")
    assert error.is_unsent
    assert len(seen) == TRIES
    assert f"CreatePublicIp: no connection to 127.0.0.1:{port}: " in str(error)
    assert "refused" in str(error)


def test_an_answer_that_comes_too_late_is_unknown(connect, monkeypatch):
    monkeypatch.setattr(wire, "ANSWER_S", 0.05)
    with listener(None) as (endpoint, connections):
        error = refused(connect(endpoint), "CreatePublicIp")
    assert (error.cause, error.is_unsent) == (Cause.UNKNOWN, False)
    assert "Read timed out" in str(error)
    assert len(connections) == 1


class Drops(list):
    """Parts of an answer; the clock goes on by half a minute before each."""

    def __init__(self, cloud, answer):
        super().__init__([answer[:-8], *(bytes([each]) for each in answer[-8:])])
        self.cloud = cloud

    def __iter__(self):
        for each in super().__iter__():
            self.cloud.clock.advance(30)
            yield each


def test_an_answer_that_drips_is_not_waited_for_for_ever(connect, cloud):
    body = '{"PublicIp": {}}'
    chunked = "".join(f"1\r\n{each}\r\n" for each in body) + "0\r\n\r\n"
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    for answer in (response("200 OK", body), f"{head}{chunked}".encode()):
        with listener(Drops(cloud, answer)) as (endpoint, connections):
            error = refused(connect(endpoint), "CreatePublicIp")
        assert (error.cause, error.is_unsent) == (Cause.UNKNOWN, False)
        assert "no answer from 127.0.0.1" in str(error)
        assert "not all of it came within 60 s" in str(error)
        assert len(connections) == 1


@pytest.mark.parametrize("left_off", [1, 9])
def test_an_answer_that_breaks_off_is_no_answer(connect, left_off):
    with listener(response("200 OK", '{"PublicIp": {}}')[:-left_off]) as (endpoint, _):
        error = refused(connect(endpoint), "CreatePublicIp")
    assert (error.cause, error.is_unsent) == (Cause.UNKNOWN, False)
    assert "no answer from 127.0.0.1" in str(error)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_an_answer_in_pieces_is_read(connect, pieces):
    body = gzip.compress(b'{"Vms": []}')
    parts = [body[at : at + pieces] for at in range(0, len(body), pieces)]
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    coded = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
    with listener(head + coded) as (endpoint, _):
        assert connect(endpoint).read("ReadVms") == []


def test_connections_are_used_again(connect, seen):
    answer = response("200 OK", '{"Vms": []}').replace(b"Connection: close\r\n", b"")
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = connect(f"http://127.0.0.1:{server.getsockname()[1]}/api/v1")

        def serve():
            connection, _ = server.accept()
            with connection:
                for _ in range(3):
                    read_request(connection)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        for _ in range(3):
            assert client.read("ReadVms") == []
        thread.join()
    assert outcomes(seen) == ["ok"] * 3


@pytest.mark.parametrize(
    ("answer", "cause", "said"),
    [
        (b"", Cause.UNKNOWN, "Remote end closed connection without response"),
        (response("200 OK", "{"), Cause.UNKNOWN, "no answer from 127.0.0.1"),
        (response("200 OK", "[]"), Cause.UNKNOWN, "answered without a JSON object"),
        (response("200 OK", "null"), Cause.UNKNOWN, "answered without a JSON object"),
        (response("502 Bad Gateway", "<p>", "text/html"), Cause.UNKNOWN, "with HTTP status 502"),
        (response("503 Busy", "<p>", "text/html"), Cause.UNKNOWN, "with HTTP status 503"),
        (response("429 Slow", "<p>", "text/html"), Cause.THROTTLED, "with HTTP status 429"),
        (response("404 Not Found", "<p>", "text/html"), Cause.OURS, "with HTTP status 404"),
        (response("302 Found", "", more="Location: /\r\n"), Cause.OURS, "answered with a redirect"),
    ],
)
def test_an_answer_that_is_not_the_apis_is_told(connect, answer, cause, said):
    with listener(answer) as (endpoint, connections):
        error = refused(connect(endpoint), "CreatePublicIp")
    assert error.cause is cause
    assert said in str(error)
    assert len(connections) == (TRIES if cause is Cause.THROTTLED else 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "answered without 'Vms'"),
        ('{"Vms": null}', "answered without 'Vms'"),
        ('{"Vms": {}}', "answered without 'Vms'"),
        ('{"Vms": ["i-1"]}', "answered without 'Vms'"),
        ('{"Nets": []}', "answered without 'Vms'"),
        ('{"Errors": [{"Code": "2000", "Type": "InternalError"}]}', "InternalError 2000"),
    ],
)
def test_a_read_that_does_not_say_what_is_there_does_not_say_that_nothing_is(connect, body, said):
    with listener(response("200 OK", body)) as (endpoint, connections):
        error = unread(connect(endpoint), "ReadVms")
    assert error.cause is Cause.UNKNOWN
    assert said in str(error)
    assert len(connections) == TRIES


def test_a_refusal_with_status_200_is_one(connect):
    said = '{"Errors": [{"Code": "10022", "Type": "TooManyResources (QuotaExceded)"}]}'
    with listener(response("200 OK", said)) as (endpoint, _):
        assert refused(connect(endpoint), "CreateNet").cause is Cause.QUOTA


@pytest.mark.parametrize("body", ['{"Net": {}}', '{"Net": {"NetId": null}}', "{}"])
def test_an_answer_that_lacks_what_is_asked_of_it_is_no_answer(connect, body):
    with listener(response("200 OK", body)) as (endpoint, _), pytest.raises(ApiError) as caught:
        connect(endpoint).call("CreateNet")["Net"]["NetId"]
    assert caught.value.cause is Cause.UNKNOWN
    assert "CreateNet: 127.0.0.1" in str(caught.value)
    assert "answered without 'Net" in str(caught.value)


def test_what_an_answer_has_more_than_is_known_does_no_harm(connect):
    body = '{"Vms": [{"VmId": "i-1", "Mood": "calm"}], "Advice": ["none"], "More": [[]]}'
    with listener(response("200 OK", body)) as (endpoint, _):
        rows = connect(endpoint).read("ReadVms")
    assert rows == [{"VmId": "i-1", "Mood": "calm"}]


@pytest.mark.parametrize(
    "body",
    [
        '{"Errors": {"Code": "1"}}',
        '{"Errors": "no"}',
        '{"Errors": [null]}',
        '{"ResponseContext": "no"}',
        '{"Errors": [{"Code": 2000, "Type": 5, "Details": {"a": 1}}]}',
        "[]",
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "500 Internal Server Error"])
def test_an_error_in_another_form_is_an_error(connect, status, body):
    with listener(response(status, body)) as (endpoint, _):
        assert unread(connect(endpoint), "ReadVms").cause in {Cause.UNKNOWN, Cause.OURS}


def test_a_problem_in_another_form_is_an_error(connect):
    body = '{"self": 1, "type_": "about:blank", "instance": []}'
    kind = "application/problem+json"
    with listener(response("400 Bad Request", body, kind)) as (endpoint, _):
        assert "127.0.0.1" in str(refused(connect(endpoint), "CreateNet"))


def test_a_page_that_leads_to_itself_is_not_followed(connect):
    body = '{"Vms": [{"VmId": "i-1"}], "NextPageToken": "YQ=="}'
    with listener(response("200 OK", body)) as (endpoint, connections):
        error = unread(connect(endpoint), "ReadVms")
    assert "YQ==" in str(error)
    assert len(connections) == 2


@pytest.mark.parametrize("port", ["99999", "x"])
def test_an_address_that_cannot_be_is_told(connect, port):
    error = refused(connect(f"https://127.0.0.1:{port}/api/v1"), "ReadVms")
    assert f"127.0.0.1:{port}" in str(error)


def test_certificates_that_are_not_there_are_told(connect, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "no/such/bundle.pem")
    error = refused(connect("https://127.0.0.1:1/api/v1"), "ReadVms")
    assert "no/such/bundle.pem" in str(error)


def test_a_bare_503_makes_everybody_slower(connect):
    with listener(response("503 Busy", "<p>", "text/html")) as (endpoint, _):
        client = connect(endpoint)
        refused(client, "CreatePublicIp")
    assert client._limiter.rate_per_s < 5


# --- Nothing secret ------------------------------------------------------------------------------


def test_a_log_line_has_action_ids_and_duration(client, cloud, caplog):
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    with caplog.at_level(logging.DEBUG, "provider.osc"):
        client.call("DeleteNet", NetId=net)
        client.read("ReadNets", Filters={"NetIds": [net]})
    assert caplog.messages == [
        f"DeleteNet {net}: ok in 0.000 s",
        f"ReadNets {net}: ok in 0.000 s",
    ]


@pytest.mark.parametrize("fault", ["none", "lose", "refuse"])
def test_nothing_secret_is_told(client, cloud, seen, caplog, capsys, fault):
    user_data = "I2Nsb3VkLWNvbmZpZwpjYW5hcnkK" * 3
    image = cloud.call("ReadImages")["Images"][0]["ImageId"]
    if fault != "none":
        quoted = f"The value '{user_data}' is not valid."
        cloud.faults.add(fault, action="CreateVms", code=4047, details=quoted)
    told = [repr(client), repr(vars(client)), repr(client.wire)]
    with caplog.at_level(logging.DEBUG):
        try:
            client.call("CreateVms", ImageId=image, UserData=user_data)
        except ApiError as error:
            told += [str(error), repr(error), repr(vars(error)), repr(error.__cause__)]
    assert outcomes(seen) == [{"none": "ok", "lose": "unknown", "refuse": "ours"}[fault]]
    told += [caplog.text, *capsys.readouterr(), repr(seen)]
    for text in told:
        assert CANARY not in text
        assert user_data[:20] not in text
