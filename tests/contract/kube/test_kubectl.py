"""kubectl, side by side: exit code, output and errors are the same on both servers.

A story is a list of command lines that build on each other, in a namespace of its own. A line
that starts with ``<`` is given to the next command as its input. Of a line that starts with ``~``,
only the exit code is the same: docs/fakekube.md says why, under "Differences".
"""

import functools
import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.kube import sides
from tests.contract.kube.kubectl import OBJECTS, Kubectl

both = sides.both

pytestmark = pytest.mark.tools(*sides.TOOLS, "kubectl")

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "example.com/web:v1", ports: [{containerPort: 80}]}
"""
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: config, labels: {app: web}}
data: {color: red, size: "3"}
"""
LAMP = """
apiVersion: shop.example.com/v1
kind: Lamp
metadata: {name: one}
spec: {size: 3, items: [{name: a}], tags: [x]}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: pod, labels: {app: pod}}
spec: {containers: [{name: main, image: example.com/image}]}
"""
JOIN = "go-template={{range .items}}{{.metadata.name}} {{end}}"

STORIES = {
    "create and read": [
        "create configmap plain --from-literal=a=1 --from-literal=b=2",
        "create configmap plain",
        "get configmap plain -o yaml",
        "get configmap plain -o json",
        "get configmap plain -o name",
        "get configmap plain -o jsonpath={.data.a}",
        "get configmap plain -o custom-columns=NAME:.metadata.name,A:.data.a",
        f"get configmaps -l app=none -o '{JOIN}'",
        "get configmaps plain missing",
        "get nothing",
        "get configmap missing --ignore-not-found",
        "get cm",
        "get cm --show-labels",
        "get cm -A --field-selector=metadata.name=plain",
        "get cm --sort-by=.metadata.name --no-headers",
        "describe configmap plain",
        "delete configmap plain missing",
    ],
    "typed creation": [
        "create secret generic password --from-literal=key=value",
        "get secret password -o jsonpath={.data.key}",
        "create secret docker-registry pull --docker-username=a --docker-password=b",
        "get secrets",
        "describe secret password",
        "create serviceaccount robot",
        "create role reader --verb=get,list --resource=pods,deployments.apps",
        "create rolebinding readers --role=reader --serviceaccount=NAMESPACE:robot --user=ann",
        "get roles,rolebindings -o wide",
        "describe role reader",
        "describe rolebinding readers",
        "create deployment web --image=example.com/web --replicas=2 --port=80",
        "create job once --image=example.com/job -- true",
        "create cronjob often --image=example.com/job --schedule='*/5 * * * *'",
        "get cronjobs -o wide",
        "create service clusterip web --tcp=80:8080",
        "create service nodeport node --tcp=80",
        "create service externalname outside --external-name=example.com",
        "get services -o wide",
        "create poddisruptionbudget web --selector=app=web --min-available=1",
        "create quota limits --hard=pods=3",
        "create ingress web --rule=example.com/*=web:80",
        "get pdb,quota,ingress,job",
        "create namespace NAMESPACE",
        "run pod --image=example.com/image --restart=Never",
        "get pod pod -o yaml",
    ],
    "apply": [
        f"<{WEB}",
        "apply -f -",
        f"<{WEB}",
        "apply -f -",
        f"<{WEB.replace('replicas: 2', 'replicas: 3')}",
        "diff -f -",
        f"<{WEB.replace('replicas: 2', 'replicas: 3')}",
        "apply -f - --dry-run=server -o yaml",
        f"<{WEB.replace('replicas: 2', 'replicas: 3')}",
        "apply -f - --dry-run=client -o name",
        f"<{WEB.replace('replicas: 2', 'replicas: 3')}",
        "apply -f -",
        f"<{WEB.replace('web:v1', 'web:v2')}",
        "apply -f - -o yaml",
        "get deployment web -o yaml --show-managed-fields",
        "get deployments -o wide",
        "get all --show-kind",
        "rollout history deployment web",
        "wait deployment web --for=create --timeout=5s",
        "describe deployment web",
        "apply view-last-applied deployment web",
        f"<{WEB.replace('replicas: 2', 'replica: 2')}",
        "~apply -f -",
        f"<{WEB.replace('replicas: 2', 'replicas: two')}",
        "~apply -f -",
        f"<{WEB.replace('app: web}}', 'app: other}}')}",
        "apply -f -",
        f"<{WEB.replace('replicas: 2', 'replica: 2')}",
        "apply -f - --validate=warn",
        f"<{WEB.replace('replicas: 2', 'replica: 2')}",
        "apply -f - --validate=false",
        f"<{WEB}",
        "delete -f -",
    ],
    "server-side apply": [
        f"<{CONFIG}",
        "apply --server-side -f - --field-manager=one",
        f"<{CONFIG.replace('red', 'blue')}",
        "apply --server-side -f - --field-manager=two",
        f"<{CONFIG.replace('red', 'blue')}",
        "apply --server-side -f - --field-manager=two --force-conflicts",
        f"<{CONFIG.replace('color: red, ', '')}",
        "apply --server-side -f - --field-manager=one",
        "get configmap config -o yaml --show-managed-fields",
        f"<{CONFIG}",
        "diff --server-side --force-conflicts -f -",
        f"<{CONFIG}",
        "apply -f -",
        f"<{CONFIG}",
        "apply --server-side -f - --force-conflicts",
    ],
    "patches": [
        f"<{WEB}",
        "create -f -",
        """patch deployment web -p '{"spec":{"replicas":5}}'""",
        """patch deployment web --type=merge -p '{"metadata":{"labels":{"a":"b"}}}'""",
        """patch deployment web --type=json -p '[{"op":"remove","path":"/metadata/labels/a"}]'""",
        """patch deployment web --type=json -p '[{"op":"remove","path":"/metadata/labels/a"}]'""",
        (
            """patch deployment web -p '{"spec":{"template":{"spec":{"containers":"""
            """[{"name":"side","image":"example.com/side"}]}}}}'"""
        ),
        (
            """patch deployment web -p '{"spec":{"template":{"spec":{"containers":"""
            """[{"name":"side","$patch":"delete"}]}}}}'"""
        ),
        (
            """patch deployment web --subresource=status --type=merge """
            """-p '{"status":{"replicas":5,"readyReplicas":4}}'"""
        ),
        """patch deployment web -p '{"spec":{"selector":null}}'""",
        """patch deployment missing -p '{}'""",
        "get deployment web",
        "get deployment web --subresource=status -o yaml",
        "scale deployment web --replicas=1",
        "scale deployment web --replicas=1 --current-replicas=7",
        "set image deployment/web web=example.com/web:v3",
        "set env deployment/web A=b",
        "set resources deployment/web --limits=cpu=1 --requests=cpu=100m",
        "rollout pause deployment web",
        "autoscale deployment web --max=3",
        "expose deployment web --port=80 --target-port=8080",
        "get hpa,service -o wide",
        "get deployment web -o yaml",
        "label deployment web tier=front",
        "label deployment web tier=back",
        "label deployment web tier=back --overwrite",
        "label deployment web tier-",
        "annotate deployment web note=hello",
        "get deployment web -o jsonpath={.metadata.annotations.note}",
    ],
    "replace": [
        f"<{CONFIG}",
        "replace -f -",
        f"<{CONFIG}",
        "create -f -",
        f"<{CONFIG.replace('red', 'green')}",
        "replace -f -",
        f"<{CONFIG.replace('red', 'black')}",
        "replace --force -f -",
        "get configmap config -o yaml",
        f"<{CONFIG}",
        "create -f -",
        f"<{CONFIG.replace('data: {', 'date: {')}",
        "create --validate=strict -f -",
        "<not yaml: [",
        "create -f -",
        "delete configmap --all",
        "delete configmap -l app=web",
    ],
    "custom resources": [
        f"<{LAMP}",
        "apply -f -",
        f"<{LAMP.replace('3', '5')}",
        "apply -f -",
        f"<{LAMP.replace('3', '99')}",
        "apply -f -",
        f"<{LAMP.replace('size', 'sizes')}",
        "~apply -f -",
        "api-resources --api-group=shop.example.com",
        "api-resources --api-group=shop.example.com -o wide",
        "get all",
        "get lamps",
        "get lp -o wide",
        "get lamp.v1.shop.example.com one -o yaml",
        "describe lamp one",
        """patch lamp one --type=merge -p '{"spec":{"size":7}}'""",
        """patch lamp one -p '{"spec":{"size":7}}'""",
        (
            """patch lamp one --type=merge --subresource=status """
            """-p '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'"""
        ),
        "wait lamp one --for=condition=Ready --timeout=5s",
        "wait lamp one --for=jsonpath={.spec.size}=7 --timeout=5s",
        "wait lamp one --for=condition=Missing --timeout=1s",
        "scale lamp one --replicas=4",
        "get lamp one --subresource=scale",
        f"<{LAMP}",
        "diff -f -",
        f"<{LAMP}",
        "apply --server-side -f - --force-conflicts",
        "get lamps.v1alpha1.shop.example.com",
        "~explain lamp",
        "explain lamp.spec.size",
        "explain lamp.spec --recursive",
        "explain lamp.spec.none",
        "delete lamp one",
    ],
    "pods": [
        f"<{POD}",
        "apply -f -",
        "get pods -o wide",
        "get pods --field-selector=status.phase=Pending",
        "get pods --field-selector=spec.nodeName=none",
        (
            """patch pod pod --subresource=status --type=merge -p '{"status":{"phase":"Running","""
            """"conditions":[{"type":"Ready","status":"True"}],"podIP":"10.0.0.1"}}'"""
        ),
        "wait pod pod --for=condition=Ready --timeout=5s",
        "get pods",
        "describe pod pod",
        "annotate pod pod a=b",
        """patch pod pod -p '{"spec":{"containers":[{"name":"main","image":"example.com/b"}]}}'""",
        "delete pod pod --now",
        "wait pod pod --for=delete --timeout=5s",
        "get events",
        "events",
    ],
    "the cluster": [
        "version -o yaml --client",
        "cluster-info",
        "get --raw /readyz",
        "get --raw /livez/ping",
        "get --raw /api/v1/namespaces/NAMESPACE/configmaps/missing",
        "get --raw /nowhere",
        "get namespace NAMESPACE -o yaml",
        "describe namespace NAMESPACE",
        "get namespaces default kube-system",
        "auth can-i create pods",
        "auth can-i create pods --as=nobody",
        "auth can-i get pods/log --as=system:serviceaccount:NAMESPACE:none",
        "auth can-i --list --as=nobody",
        "get pods --as=nobody",
        "create token default",
        "~explain namespace.status",
        "api-resources --api-group=apps -o wide",
        "api-resources --api-group=rbac.authorization.k8s.io --verbs=bind -o name",
        "api-resources --api-group=policy --namespaced=true --no-headers",
        "api-resources --api-group=none.example.com",
        "~api-resources --api-group=''",
        "~api-versions",
        "explain namespace.none",
        "explain none",
        "get crd lamps.shop.example.com",
        "get crd lamps.shop.example.com -o jsonpath={.status.acceptedNames}",
        "wait crd lamps.shop.example.com --for=condition=Established --timeout=5s",
        "~get priorityclasses",
        "config view --minify -o jsonpath={.contexts[0].context.namespace}",
        "config current-context --flatten",
    ],
    "nodes": [
        "taint node missing a=b:NoSchedule",
        "get node node-NAMESPACE",
        "label node node-NAMESPACE node-role.kubernetes.io/worker=",
        "taint node node-NAMESPACE a=b:NoSchedule",
        "cordon node-NAMESPACE",
        "get node node-NAMESPACE -o wide",
        "drain node-NAMESPACE --timeout=5s",
        "uncordon node-NAMESPACE",
        "describe node node-NAMESPACE",
        "delete node node-NAMESPACE",
    ],
}
COUNT = sum(not line.startswith("<") for line in itertools.chain(*STORIES.values()))
LEAST = 40


@pytest.fixture(scope="module")
def program(both, tmp_path_factory):
    from tools import cache

    program = cache.require("kubectl")["kubectl"]
    for client in both:
        folder = tmp_path_factory.mktemp("definitions")
        kubectl = Kubectl(program, client, folder, "default")
        assert kubectl.run(f"apply -f {OBJECTS / 'definitions.yaml'}")[0] == 0
        names = "crd/lamps.shop.example.com crd/gadgets.shop.example.com"
        assert kubectl.run(f"wait {names} --for=condition=Established --timeout=20s")[0] == 0
        sides.eventually_serves(client)
    return program


@pytest.fixture
def kubectls(request, both, program, tmp_path):
    word = re.sub(r"[^a-z]+", "-", request.node.name.partition("[")[2]).strip("-")
    namespace = f"k-{word or 'watch'}"
    found = []
    for client in both:
        client.must("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        folder = tmp_path / client.name
        folder.mkdir()
        found.append(Kubectl(program, client, folder, namespace))
    return found


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_the_same_on_both(kubectls, story):
    if story == "nodes":
        for each in kubectls:
            node = {"metadata": {"name": f"node-{each.namespace}"}}
            each.client.must("POST", "/api/v1/nodes", node)
    with ThreadPoolExecutor() as pool:
        ours_told, theirs_told = pool.map(functools.partial(tell, STORIES[story]), kubectls)
    different = []
    for (told, ours), (_, theirs) in zip(ours_told, theirs_told, strict=True):
        line = told.removeprefix("~")
        if told.startswith("~"):
            # What is no longer different must not be said to be.
            assert ours != theirs, f"{line} has become the same."
            is_same = ours[0] == theirs[0]
        else:
            is_same = ours == theirs
        if not is_same:
            different.append(_difference(line, ours, theirs))
    assert not different, "\n".join(different)


def tell(story, kubectl):
    """Run the commands of a story; return each with what came of it."""
    found, stdin = [], None
    for line in story:
        if line.startswith("<"):
            stdin = line[1:]
            continue
        command = line.removeprefix("~").replace("NAMESPACE", kubectl.namespace)
        found.append((line, kubectl.run(command, stdin)))
        stdin = None
    return found


def _difference(line, ours, theirs):
    import difflib

    lines = [f"$ kubectl {line}", f"exit code {ours[0]}, and {theirs[0]} on the real server"]
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        lines += difflib.unified_diff(
            other.splitlines(), mine.splitlines(), "real", "fakekube", lineterm="", n=1
        )
    return "\n".join(lines)


def test_a_watch_shows_the_same(kubectls):
    shown = []
    for each in kubectls:
        maps = f"/api/v1/namespaces/{each.namespace}/configmaps"
        each.client.must("POST", maps, {"metadata": {"name": "first"}})
        with each.start("get configmaps -w --output-watch-events") as watching:
            lines = [watching.stdout.readline(), watching.stdout.readline()]
            if "kube-root-ca" in lines[1]:
                lines[1] = watching.stdout.readline()
            each.client.must("POST", maps, {"metadata": {"name": "second"}})
            lines.append(watching.stdout.readline())
            each.client.must("PATCH", f"{maps}/second", {"data": {"a": "b"}})
            lines.append(watching.stdout.readline())
            each.client.must("DELETE", f"{maps}/first")
            lines.append(watching.stdout.readline())
            watching.terminate()
        shown.append(each.normal("".join(lines)))
    assert shown[0] == shown[1]
    assert shown[0].count("\n") == 4


def test_there_are_many_commands():
    assert COUNT >= LEAST
