"""What every replica serves: webhooks over TLS as Kubernetes calls them, health, and metrics."""

import base64
import contextlib
import http.client
import json
import re
import socket
import ssl
import threading

import pytest

from provider.kube import kinds
from provider.manager import election, web
from provider.outcome import Outcome
from tests.contract.kube.client import eventually
from tests.functional.provider import stage as stages
from tests.functional.provider.deciding import deciding, phase
from tests.functional.provider.stage import Replica
from tools import certificates


class Certified:
    """A folder with a certificate, as cert-manager mounts it."""

    def __init__(self, folder):
        self.folder = folder / "serving"
        self.folder.mkdir()
        self.authority = certificates.Authority(folder, "ca")
        self._folder = folder

    @property
    def bundle(self):
        return base64.b64encode(self.authority.certificate.read_bytes()).decode()

    def renew(self):
        pair = self.authority.server("webhook", ["127.0.0.1", "localhost"])
        for source, name in ((pair.certificate, "tls.crt"), (pair.key, "tls.key")):
            (self.folder / name).write_bytes(source.read_bytes())


@pytest.fixture
def certified(tmp_path):
    made = Certified(tmp_path)
    made.renew()
    return made


def refusing(review):
    """Refuse every object that is called "bad"."""
    request = review["request"]
    is_allowed = request["name"] != "bad"
    answer = {"uid": request["uid"], "allowed": is_allowed}
    if not is_allowed:
        answer["status"] = {"code": 422, "message": "metadata.name: it is bad. Use another one."}
    return {**review, "response": answer}


def converting(review):
    """Convert by changing the version only, and count in an annotation."""
    request = review["request"]
    objects = [{**each, "apiVersion": request["desiredAPIVersion"]} for each in request["objects"]]
    response = {
        "uid": request["uid"],
        "result": {"status": "Success"},
        "convertedObjects": objects,
    }
    return {**review, "response": response}


def serving(stage, certified, **changes):
    reviews = {"/validate": refusing, "/convert": converting}
    options = {"webhook_cert_dir": str(certified.folder), **changes}
    return Replica(stage, deciding(), reviews=reviews, **options)


def webhook_url(replica, path):
    return f"https://127.0.0.1:{replica.manager.ports['webhooks']}{path}"


def configure(stage, replica, certified):
    """Let the API server ask the replica, as a ValidatingWebhookConfiguration does."""
    name = f"caposc-{stage.namespace}"
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": "validation.osccluster.infrastructure.cluster.x-k8s.io",
                "clientConfig": {
                    "url": webhook_url(replica, "/validate"),
                    "caBundle": certified.bundle,
                },
                "rules": [
                    {
                        "apiGroups": [kinds.INFRASTRUCTURE],
                        "apiVersions": ["*"],
                        "operations": ["CREATE"],
                        "resources": ["oscclusters"],
                    }
                ],
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    stage.client.must("POST", path, body)
    return f"{path}/{name}"


def ready(replica):
    eventually(lambda: replica.is_ready)


def test_admission_is_served_over_tls(plain, certified):
    with serving(plain, certified) as replica:
        ready(replica)
        path = configure(plain, replica, certified)
        try:
            body = {"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2", "kind": "OscCluster"}
            place = kinds.OSC_CLUSTER.path(plain.namespace)
            eventually(
                lambda: (
                    "it is bad"
                    in plain.client.ask("POST", place, {**body, "metadata": {"name": "bad"}}).text
                )
            )
            plain.client.must("POST", place, {**body, "metadata": {"name": "good"}})
        finally:
            plain.client.must("DELETE", path)


def test_conversion_is_served_over_tls(bare, certified):
    kind = kinds.OSC_CLUSTER
    (definition,) = [
        each
        for each in stages.plain_definitions(versions=["v1beta2", "v1beta1"])
        if each["spec"]["names"]["kind"] == kind.name
    ]
    bare.install(stages.plain_definitions())
    with serving(bare, certified) as replica:
        ready(replica)
        client = {"url": webhook_url(replica, "/convert"), "caBundle": certified.bundle}
        definition["spec"]["conversion"] = {
            "strategy": "Webhook",
            "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
        }
        bare.install([definition])
        bare.cluster()
        old = kind.at("v1beta1")
        eventually(lambda: bare.get(old, "demo"))
        assert bare.get(old, "demo")["apiVersion"] == old.api_version
        bare.client.must(
            "PATCH",
            f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.plural}.{kind.group}",
            {"spec": {"conversion": {"strategy": "None", "webhook": None}}},
        )


def test_a_replica_that_stands_by_serves_webhooks_too(plain, certified):
    options = {"leader_elect": True, "leader_elect_namespace": plain.namespace}
    with (
        serving(plain, certified, **options) as first,
        serving(plain, certified, **options) as second,
    ):
        ready(first)
        ready(second)
        assert first.is_leader + second.is_leader <= 1


def test_a_replica_without_certificate_is_alive_but_not_ready(plain, tmp_path):
    certified = Certified(tmp_path)
    with serving(plain, certified) as replica:
        assert replica.read("health", "/healthz") == "ok"
        assert not replica.is_ready
        certified.renew()
        ready(replica)


def served(replica, certified):
    """Return the certificate that is served."""
    address = ("127.0.0.1", replica.manager.ports["webhooks"])
    return ssl.get_server_certificate(address, ca_certs=str(certified.authority.certificate))


def test_a_renewed_certificate_is_served_without_a_restart(plain, certified, monkeypatch):
    monkeypatch.setattr("provider.manager.web.LOOK_S", 0.1)
    with serving(plain, certified) as replica:
        ready(replica)
        before = served(replica, certified)
        certified.renew()
        eventually(lambda: served(replica, certified) != before)


def test_a_half_written_certificate_leaves_the_old_one_in_use(plain, certified, monkeypatch):
    monkeypatch.setattr("provider.manager.web.LOOK_S", 0.1)
    with serving(plain, certified) as replica:
        ready(replica)
        before = served(replica, certified)
        (certified.folder / "tls.crt").write_text("not yet")
        threading.Event().wait(0.5)
        assert served(replica, certified) == before


def ask(replica, certified, name, path, body=None, **headers):
    """Ask a site over TLS; return the code and the text."""
    context = ssl.create_default_context(cadata=certified.authority.certificate.read_text())
    port = replica.manager.ports[name]
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    with contextlib.closing(connection):
        connection.request("POST" if body else "GET", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_nonsense_is_no_review(plain, certified):
    options = {"webhook_cert_dir": str(certified.folder)}
    with Replica(plain, deciding(), **options) as replica:
        ready(replica)
        for path in ("/validate", "/mutate", "/convert"):
            for body in ("[]", "5", "{", "[" * 100_000, b"\xff\xfe"):
                code, _ = ask(replica, certified, "webhooks", path, body)
                assert code == 400, (path, body[:20])


def test_metrics_are_scraped(plain):
    with Replica(plain, deciding()) as replica:
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
        text = replica.read("metrics", "/metrics")
    for line in (
        r'caposc_reconciles_total\{end="done",kind="OscCluster"\} [1-9]',
        r'caposc_queue_depth\{kind="OscCluster"\} 0\.0',
        r'caposc_reconcile_seconds_bucket\{kind="OscCluster",le="60\.0"\} [1-9]',
        r'caposc_watch_age_seconds\{kind="Cluster"\} \d',
        r"caposc_leader 1\.0",
    ):
        assert re.search(line, text), line


def test_diagnostics_are_for_those_whom_kubernetes_lets_in(plain, certified):
    options = {
        "webhook_cert_dir": str(certified.folder),
        "diagnostics_address": "127.0.0.1:0",
    }
    with Replica(plain, deciding(), **options) as replica:
        eventually(lambda: replica.manager.ports.get("diagnostics"))
        asked = (replica, certified, "diagnostics", "/metrics")
        assert ask(*asked)[0] == 401
        assert ask(*asked, Authorization="Bearer nobody")[0] == 403
        code, text = ask(*asked, Authorization=f"Bearer {_token_of_an_account(plain)}")
        assert (code, "caposc_leader" in text) == (200, True)


def _token_of_an_account(stage):
    place = f"/api/v1/namespaces/{stage.namespace}/serviceaccounts"
    stage.client.must("POST", place, {"metadata": {"name": "scraper"}})
    stage.client.must(
        "POST",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {
            "metadata": {"name": f"scraper-{stage.namespace}"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            "subjects": [
                {"kind": "ServiceAccount", "name": "scraper", "namespace": stage.namespace}
            ],
        },
    )
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return stage.client.must("POST", f"{place}/scraper/token", asked)["status"]["token"]


def test_a_stop_lets_work_in_progress_finish(plain):
    going, may_end = threading.Event(), threading.Event()

    def slow(_seen, _tools):
        going.set()
        may_end.wait(10)
        return Outcome(status={"phase": "finished"})

    replica = Replica(plain, deciding(cluster=slow), shutdown_timeout=6.0).start()
    plain.cluster()
    going.wait(10)
    ending = threading.Timer(0.5, may_end.set)
    ending.start()
    replica.stop()
    assert phase(plain) == "finished"


def test_a_stop_ends_work_between_two_calls_when_it_takes_too_long(plain):
    going = threading.Event()

    def endless(_seen, tools):
        for number in range(1000):
            going.set()
            threading.Event().wait(0.05)
            tools.record({"phase": str(number)})
        return Outcome()

    replica = Replica(plain, deciding(cluster=endless), shutdown_timeout=2.0).start()
    plain.cluster()
    going.wait(10)
    replica.stop(5)
    assert int(phase(plain)) < 100


def test_a_reconcile_that_takes_too_long_is_ended_between_two_calls(plain):
    def endless(_seen, tools):
        for number in range(1000):
            threading.Event().wait(0.02)
            tools.record({"phase": str(number)})
        return Outcome()

    with Replica(plain, deciding(cluster=endless), reconcile_timeout=0.2) as replica:
        plain.cluster()
        eventually(lambda: replica.value("caposc_queue_retries_total", kind="OscCluster"))
        assert json.loads(phase(plain)) < 100


@pytest.mark.parametrize(
    "flag", ["webhook_port", "metrics_bind_address", "health_probe_bind_address"]
)
@pytest.mark.parametrize("leads", [True, False])
def test_an_address_that_is_taken_ends_it_in_words(plain, certified, flag, leads):
    if not leads:
        spec = {"holderIdentity": "somebody", "leaseDurationSeconds": 3600}
        plain.create(kinds.LEASE, election.LEASE, spec=spec)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        replica = serving(
            plain,
            certified,
            leader_elect=True,
            leader_elect_namespace=plain.namespace,
            **{flag: port if flag == "webhook_port" else f"127.0.0.1:{port}"},
        )
        said = f":{port} cannot be served: Address already"
        with pytest.raises(web.NotServed, match=said), replica:
            eventually(lambda: replica.problem)
