"""The client of the Kubernetes API on a server, with answers that are slow, lost or refused."""

import asyncio
import http.server
import random
import threading

import pytest

from fakekube.server import Kube
from fakekube.serving import ServerThread
from provider.kube import auth, client, errors, kinds
from provider.kube.kinds import Kind

MAP = Kind("", "v1", "configmaps", "ConfigMap")


class Rotating:
    """A source whose token changes: what was once right is refused afterwards."""

    def __init__(self, source, *tokens):
        self._source = source
        self._tokens = list(tokens)
        self.asked = 0

    def access(self):
        self.asked += 1
        token = self._tokens.pop(0) if len(self._tokens) > 1 else self._tokens[0]
        found = self._source.access()
        return auth.Access(found.server, found.authority, token)


def run(stage, scene, source=None, **options):
    async def play():
        async with client.Client(source or stage.source, random.Random(1), **options) as made:
            return await scene(made)

    return asyncio.run(play())


def config(name, **data):
    return {"metadata": {"name": name}, "data": data}


def test_an_object_is_made_read_changed_and_deleted(bare):
    async def scene(kube):
        made = await kube.create(MAP, bare.namespace, config("one", a="1"))
        assert (await kube.get(MAP, bare.namespace, "one")) == made
        changed = await kube.patch(MAP, bare.namespace, "one", {"data": {"b": "2"}})
        assert changed["data"] == {"a": "1", "b": "2"}
        steps = [{"op": "remove", "path": "/data/a"}]
        changed = await kube.patch(MAP, bare.namespace, "one", steps, how="json")
        assert changed["data"] == {"b": "2"}
        applied = {"apiVersion": "v1", "kind": "ConfigMap", **config("two", c="3")}
        assert (await kube.patch(MAP, bare.namespace, "two", applied, how="apply"))["data"]
        with pytest.raises(errors.Conflict):
            await kube.delete(MAP, bare.namespace, "one", uid="another")
        await kube.delete(MAP, bare.namespace, "one", uid=made["metadata"]["uid"])
        with pytest.raises(errors.NotFound):
            await kube.get(MAP, bare.namespace, "one")

    run(bare, scene)


def test_a_list_is_read_page_by_page_with_the_kind_of_each(bare, monkeypatch):
    monkeypatch.setattr(client, "PAGE", 3)

    async def scene(kube):
        for number in range(7):
            await kube.create(MAP, bare.namespace, config(f"m{number}"))
        found = await kube.list(MAP, bare.namespace)
        ours = [
            each["metadata"]["name"] for each in found if "root" not in each["metadata"]["name"]
        ]
        assert ours == [f"m{number}" for number in range(7)]
        assert {each["kind"] for each in found} == {"ConfigMap"}

    run(bare, scene)


def test_refusals_have_types(bare):
    async def scene(kube):
        await kube.create(MAP, bare.namespace, config("one"))
        with pytest.raises(errors.Exists):
            await kube.create(MAP, bare.namespace, config("one"))
        stale = {"metadata": {"resourceVersion": "1"}}
        with pytest.raises(errors.Conflict):
            await kube.patch(MAP, bare.namespace, "one", stale)
        with pytest.raises(errors.Unprocessable):
            await kube.create(MAP, bare.namespace, config("Not A Name"))

    run(bare, scene)


@pytest.mark.parametrize("effect", ["refuse", "drop", "lose", "throttle"])
def test_a_read_is_repeated(faulty, effect):
    faulty.fault(effect, verb="get", resource="configmaps", times=2)

    async def scene(kube):
        await kube.create(MAP, faulty.namespace, config("one"))
        return await kube.get(MAP, faulty.namespace, "one")

    assert run(faulty, scene)["metadata"]["name"] == "one"


def test_a_create_whose_answer_was_lost_is_not_repeated(faulty):
    faulty.fault("lose", verb="create", resource="configmaps", times=1)

    async def scene(kube):
        with pytest.raises(errors.Unreachable):
            await kube.create(MAP, faulty.namespace, config("one"))
        return await kube.get(MAP, faulty.namespace, "one")

    assert run(faulty, scene)


def test_repeating_has_an_end(faulty):
    faulty.fault("refuse", verb="get", resource="configmaps", code=503)

    async def scene(kube):
        with pytest.raises(errors.Broken):
            await kube.get(MAP, faulty.namespace, "one")

    run(faulty, scene)


def test_a_slow_answer_is_given_up(faulty):
    faulty.fault("delay", verb="create", resource="configmaps", seconds=5)

    async def scene(kube):
        with pytest.raises(errors.Unreachable, match="no answer from"):
            await kube.create(MAP, faulty.namespace, config("one"))

    run(faulty, scene, timeout_s=0.2)


@pytest.mark.parametrize(
    ("code", "kind", "body"),
    [
        (200, "application/json", b"\xff\xfe\xfd"),
        (200, "application/json", b"[" * 100_000),
        (200, "application/json", b"[]"),
        (502, "text/html; charset=nonsense", b"\xff\xfe"),
    ],
    ids=["bytes", "deep", "list", "charset"],
)
def test_an_answer_that_is_nonsense_is_no_answer(code, kind, body):
    class Nonsense(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Here:
        @staticmethod
        def access():
            return auth.Access(f"http://127.0.0.1:{server.server_address[1]}")

    async def play():
        async with client.Client(Here(), random.Random(1)) as made:
            with pytest.raises(errors.KubeError):
                await made.create(MAP, "default", config("one"))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asyncio.run(play())
        server.shutdown()


def test_a_server_that_is_away_is_told(faulty):
    async def scene(kube):
        with pytest.raises(errors.Unreachable, match="Look whether the API server is up"):
            await kube.create(MAP, faulty.namespace, config("one"))

    with faulty.away():
        run(faulty, scene)


def test_after_401_we_say_once_more_who_we_are(faulty):
    source = Rotating(faulty.source, "not known any more", "")

    async def scene(kube):
        return await kube.get(kinds.NAMESPACE, "", faulty.namespace)

    assert run(faulty, scene, source)["metadata"]["name"] == faulty.namespace
    assert source.asked == 2


def test_who_is_refused_twice_is_refused(faulty):
    faulty.fault("refuse", code=401, verb="get")

    async def scene(kube):
        with pytest.raises(errors.Denied):
            await kube.get(kinds.NAMESPACE, "", faulty.namespace)

    run(faulty, scene)


def test_no_way_to_the_server_is_no_answer(bare, tmp_path):
    async def scene(kube):
        with pytest.raises(errors.Unreachable, match="cannot be read"):
            await kube.get(kinds.NAMESPACE, "", "default")

    run(bare, scene, auth.Kubeconfig(tmp_path / "none", {}))


def test_another_authority_of_the_server_is_known_as_soon_as_the_file_says_so(tmp_path):
    kube, path = Kube(), tmp_path / "kubeconfig"

    async def scene(made):
        with ServerThread(kube, tls=True) as first:
            first.write_kubeconfig(path)
            await made.get(kinds.NAMESPACE, "", "default")
        with ServerThread(kube, tls=True, port=first.port) as second:
            with pytest.raises(errors.Unreachable):
                await made.get(kinds.NAMESPACE, "", "default")
            path.write_text("{half: ")
            with pytest.raises(errors.Unreachable, match="is no kubeconfig"):
                await made.get(kinds.NAMESPACE, "", "default")
            second.write_kubeconfig(path)
            await made.get(kinds.NAMESPACE, "", "default")

    async def play():
        async with client.Client(auth.Kubeconfig(path, {}), random.Random(1)) as made:
            await scene(made)

    asyncio.run(play())
