"""Nothing secret is told: canaries are planted wherever there are secrets, and nobody sings."""

import base64
import json
import logging
import random
import traceback

import pytest
from click import testing

from fakekube import authn
from fakekube.server import Kube
from fakekube.serving import ServerThread
from provider import cli
from provider.kube import kinds
from provider.manager import logs
from provider.osc import credentials, errors, pool
from tests.contract.kube.client import Client, eventually
from tests.functional.provider import fast
from tests.functional.provider import stage as stages

WITHIN_S = 60.0
LABELS = {"cluster.x-k8s.io/cluster-name": "demo"}
BOOTSTRAP = "#cloud-config\n# canary-in-the-bootstrap-data\n"
CANARIES = {
    "the secret key of the manager": "canary-secret-key-of-the-manager",
    "the access key of the manager": "CANARYACCESSKEYMANAGER",
    "the secret key of a tenant": "canary-secret-key-of-a-tenant",
    "the access key of a tenant": "CANARYACCESSKEYTENANT",
    "the token for Kubernetes": "canary-token-for-kubernetes",
    "bootstrap data": "canary-in-the-bootstrap-data",
    "bootstrap data in Base64": base64.b64encode(BOOTSTRAP.encode()).decode()[16:48],
}


def heard(told):
    """Return which canaries sing, and where."""
    return [
        f"{what} in {where}: ...{text[max(text.find(canary) - 200, 0) :][:300]}"
        for where, text in told.items()
        for what, canary in CANARIES.items()
        if canary in text
    ]


def keys(sky, owner="the manager"):
    """Return an environment with canaries for keys."""
    return {
        "OSC_ACCESS_KEY": CANARIES[f"the access key of {owner}"],
        "OSC_SECRET_KEY": CANARIES[f"the secret key of {owner}"],
        "OSC_REGION": "eu-west-2",
        "OSC_ENDPOINT_API": sky.endpoint,
    }


@pytest.fixture(name="log")
def _log(caplog):
    """Be all that is logged: as it was given, as text and as JSON, by formatters that know nothing.

    What a redactor hides because it was told to is another line of defence.
    """

    class Kept(logging.Handler):
        def __init__(self, formatter):
            super().__init__()
            self.setFormatter(formatter)
            self.lines = []

        def emit(self, record):
            self.lines.append(self.format(record))

    caplog.set_level("DEBUG")
    for name in ("kopf", "asyncio", "aiohttp", "urllib3"):
        caplog.set_level("DEBUG", name)
    made = {"text": Kept(logs.Text(logs.Redactor())), "JSON": Kept(logs.Json(logs.Redactor()))}
    root = logging.getLogger()
    for each in made.values():
        root.addHandler(each)
    yield lambda: {
        "the log as it was given": caplog.text,
        **{f"the log as {name}": "\n".join(each.lines) for name, each in made.items()},
    }
    for each in made.values():
        root.removeHandler(each)


@pytest.fixture(name="stage")
def _stage(tmp_path):
    """Be a stage on a server that knows one token, and wants it."""
    token = CANARIES["the token for Kubernetes"]
    known = {token: authn.known("admin", [authn.MASTERS])}
    kube = Kube(tokens_known=known)
    with ServerThread(kube, token=token) as server:
        path = server.write_kubeconfig(tmp_path / "kubeconfig")
        made = stages.Stage(Client("fakekube", server.url, path), server)
        for definitions in (stages.core_definitions(), stages.our_definitions()):
            made.install(definitions)
        yield made


@pytest.fixture(name="manager")
def _manager(stage, sky):
    """Run the whole manager with canaries for keys."""
    with stages.Replica(stage, environment=keys(sky), rate=stages.RATE) as replica:
        yield replica


def on_stage(stage, replica):
    """Return all that can be seen in Kubernetes and in metrics, but for the Secrets."""
    ours = (kinds.OSC_CLUSTER, kinds.OSC_MACHINE, kinds.EVENT, kinds.CLUSTER, kinds.MACHINE)
    found = {kind.name: json.dumps(stage.list(kind)) for kind in ours}
    return {**found, "metrics": replica.metrics.text().decode()}


def provisioned(stage, kind, name):
    return (stage.status(kind, name).get("initialization") or {}).get("provisioned")


def prepare(stage, sky, spec=None):
    """Make a cluster with one machine; its keys are a tenant's when its spec says so."""
    tenant = keys(sky, "a tenant")
    stage.secret(
        "tenant",
        LABELS,
        access_key=tenant["OSC_ACCESS_KEY"],
        secret_key=tenant["OSC_SECRET_KEY"],
        region="eu-west-2",
        endpoint=sky.endpoint,
    )
    sky.cloud.call("CreateKeypair", KeypairName="ops")
    image = sky.cloud.call("ReadImages")["Images"][0]["ImageId"]
    stage.cluster()
    if spec:
        stage.patch(kinds.OSC_CLUSTER, "demo", spec=spec)
    stage.secret("one-data", LABELS, value=BOOTSTRAP)
    vm = {"keypairName": "ops", "image": {"id": image}, "role": "controlplane"}
    stage.machine("one", bootstrap="one-data", vm=vm)


@pytest.mark.parametrize(
    "spec", [{}, {"credentials": {"fromSecret": "tenant"}}], ids=["own", "tenant"]
)
def test_a_life_with_refusals_that_quote_tells_nothing(stage, sky, manager, log, spec):
    sent = CANARIES["bootstrap data in Base64"]
    for action, effect in (("CreateVms", "refuse"), ("CreateTags", "lose"), ("CreateNet", "lose")):
        sky.cloud.fail(effect, action=action, times=1)
    sky.cloud.fail("refuse", action="CreateVms", code=4047, details=f"Bad UserData {sent}", times=2)
    key = CANARIES[f"the access key of {'a tenant' if spec else 'the manager'}"]
    sky.cloud.fail("refuse", action="CreateSubnet", code=1, details=f"Not for {key}.", times=1)
    prepare(stage, sky, spec)
    eventually(lambda: provisioned(stage, kinds.OSC_CLUSTER, "demo"), WITHIN_S)
    eventually(lambda: provisioned(stage, kinds.OSC_MACHINE, "one"), WITHIN_S)
    for kind in (kinds.OSC_MACHINE, kinds.MACHINE):
        stage.delete(kind, "one")
    eventually(lambda: stage.get(kinds.OSC_MACHINE, "one") is None, WITHIN_S)
    assert heard({**log(), **on_stage(stage, manager)}) == []
    assert CANARIES["bootstrap data in Base64"] in sky.cloud.save().decode(), "The canary lives."


def test_keys_that_the_api_does_not_know_are_not_quoted(stage, sky, manager, log):
    details = f"The access key '{CANARIES['the access key of the manager']}' is invalid."
    prepare(stage, sky)
    sky.cloud.fail("refuse", code=4120, details=details)

    def refused():
        rows = stage.status(kinds.OSC_CLUSTER, "demo").get("conditions") or []
        return any("4120" in each["message"] for each in rows)

    eventually(refused, WITHIN_S)
    assert heard({**log(), **on_stage(stage, manager)}) == []


MANIFEST = """
apiVersion: infrastructure.cluster.x-k8s.io/v1beta2
kind: OscCluster
metadata: {name: demo}
spec: {credentials: {fromSecret: tenant}}
"""


@pytest.mark.parametrize("auth", ["none", "known-key"])
@pytest.mark.parametrize(
    "command",
    [
        ["plan", "-f", "-", "--uid", "one"],
        ["plan", "-f", "-", "--uid", "one", "-o", "json"],
        ["doctor"],
    ],
    ids=" ".join,
)
def test_commands_tell_nothing(sky, log, auth, command):
    sky.cloud.auth = auth
    result = testing.CliRunner().invoke(cli.main, command, input=MANIFEST, env=keys(sky))
    trace = "".join(traceback.format_exception(result.exception)) if result.exception else ""
    assert heard({**log(), "the output": result.output + result.stderr, "a trace": trace}) == []
    assert result.output + result.stderr


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "lose"},
        {"effect": "refuse", "code": 2000, "details": "It was {}."},
        {"effect": "refuse", "code": 4047, "details": "UserData {} is wrong."},
        {"effect": "refuse", "code": 1, "details": "Your key is {}."},
        {"effect": "throttle", "seconds": 1000, "limit": 0},
    ],
    ids=lambda each: f"{each['effect']} {each.get('code', '')}".strip(),
)
@pytest.mark.parametrize("what", ["bootstrap data in Base64", "the access key of the manager"])
def test_exceptions_tell_nothing(sky, log, fault, what):
    """Whatever goes wrong, and whatever the API quotes that it was sent."""
    found = credentials.of_environment(keys(sky))
    clients = pool.Clients(fast.FastClock(1000), random.Random(1))
    value = base64.b64encode(BOOTSTRAP.encode()).decode()
    quoted = value if "bootstrap" in what else CANARIES[what]
    details = fault.get("details", "").format(quoted) or None
    sky.cloud.fail(**{**fault, "action": "CreateVms"} | ({"details": details} if details else {}))
    with pytest.raises(errors.ApiError) as raised:
        clients.client(found).call("CreateVms", ImageId="ami-12345678", UserData=value)
    told = {
        "the text": str(raised.value),
        "the representation": repr(raised.value),
        "what it holds": repr(vars(raised.value)),
        "the trace": "".join(traceback.format_exception(raised.value)),
        "the keys": repr(found) + str(found),
    }
    clients.close()
    assert heard({**log(), **told}) == []
