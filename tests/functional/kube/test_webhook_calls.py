"""Calls of webhooks over real connections: kept, broken, slow, too large."""

import asyncio
import base64
import contextlib
import ssl

import pytest

from fakekube import store, webhook
from tools import certificates

CONTENT = {"a": 1}
OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"ok": 1}'


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    authority = certificates.Authority(folder, "ca")
    issued = authority.server("s", ["127.0.0.1", "svc.ns.svc"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    return context, authority.certificate.read_bytes()


class Served:
    """A server on loopback that answers by a script, one function for each connection."""

    def __init__(self, port, authority):
        self.port = port
        self.connections = 0
        self.authority = authority
        self.caller = webhook.Caller()

    async def post(self, timeout_s=5.0, **changes):
        config = {"url": f"https://127.0.0.1:{self.port}/p", "caBundle": self.authority} | changes
        where = webhook.target(config, webhook.Services({"ns/svc": f"127.0.0.1:{self.port}"}),
                               store.Store())  # fmt: skip
        return await self.caller.post(where, CONTENT, timeout_s)


@contextlib.asynccontextmanager
async def serve(pair, script, *, is_secure=True):
    context, pem = pair
    served = Served(0, base64.b64encode(pem).decode())

    async def handle(reader, writer):
        served.connections += 1
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context if is_secure else None)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    await served.caller.close()
    server.close()


async def question(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Len")
    )
    return head, await reader.readexactly(length)


def answering(*answers, closes=False):
    async def script(reader, writer):
        for answer in answers if closes else iter(lambda: answers[0], None):
            await question(reader)
            writer.write(answer)
            await writer.drain()

    return script


def run(pair, script, work, **options):
    async def main():
        async with serve(pair, script, **options) as served:
            return await work(served)

    return asyncio.run(main())


def test_a_connection_is_kept(pair):
    async def work(served):
        for _ in range(3):
            assert await served.post() == {"ok": 1}
        assert served.connections == 1

    run(pair, answering(OK), work)


def test_calls_at_the_same_time_have_connections_of_their_own(pair):
    async def work(served):
        await asyncio.gather(*(served.post() for _ in range(3)))
        assert served.connections == 3

    run(pair, answering(OK), work)


def test_a_connection_that_the_other_side_has_closed_is_replaced(pair):
    async def work(served):
        for _ in range(3):
            assert await served.post() == {"ok": 1}
            await asyncio.sleep(0.05)
        assert served.connections == 3

    run(pair, answering(OK, closes=True), work)


def test_chunks_are_read(pair):
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'4\r\n{"ok\r\n5;x=y\r\n": 1}\r\n0\r\n\r\n'
    )

    async def work(served):
        assert await served.post() == {"ok": 1}
        assert await served.post() == {"ok": 1}
        assert served.connections == 1

    run(pair, answering(chunked), work)


def test_an_answer_without_a_length_ends_with_the_connection(pair):
    async def work(served):
        assert await served.post() == {"ok": 1}

    run(pair, answering(b'HTTP/1.0 200 OK\r\n\r\n{"ok": 1}', closes=True), work)


def test_a_service_is_called_by_its_name(pair):
    async def work(served):
        service = {"namespace": "ns", "name": "svc", "path": "/p"}
        assert await served.post(url=None, service=service) == {"ok": 1}

    run(pair, answering(OK), work)


FAILURES = [
    (b"", 'Post "https://127.0.0.1:{port}/p?timeout=5s": EOF'),
    (b"nonsense\r\n\r\n", "transport connection broken"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "the answer has 999999999 bytes"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", "the answer has more"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "EOF"),
    (b"HTTP/1.1 200 " + b"x" * 100_000, "transport connection broken"),
]


@pytest.mark.parametrize(("answer", "text"), FAILURES)
def test_an_answer_that_breaks_off_is_a_failure(pair, answer, text):
    async def work(served):
        with pytest.raises(webhook.CallFailed) as caught:
            await served.post()
        assert text.format(port=served.port) in str(caught.value)

    run(pair, answering(answer, closes=True), work)


def test_a_server_without_tls_is_named(pair):
    async def work(served):
        with pytest.raises(webhook.CallFailed, match="server gave HTTP response to HTTPS client"):
            await served.post()

    async def script(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    run(pair, script, work, is_secure=False)


def test_another_name_is_not_trusted(pair):
    async def work(served):
        with pytest.raises(webhook.CallFailed, match="x509: certificate is not valid for localh"):
            await served.post(url=f"https://localhost:{served.port}/p")

    run(pair, answering(OK), work)


def test_a_bundle_that_is_none_is_named(pair):
    async def work(served):
        for bundle in ("!!!", "bm9uc2Vuc2U="):
            with pytest.raises(webhook.CallFailed, match="unable to load root certificates"):
                await served.post(caBundle=bundle)

    run(pair, answering(OK), work)


def test_who_says_nothing_is_not_waited_for(pair):
    async def script(reader, _writer):
        await question(reader)
        await asyncio.sleep(5)

    async def work(served):
        with pytest.raises(webhook.CallFailed, match="context deadline exceeded"):
            await served.post(timeout_s=0.2)

    run(pair, script, work)
