"""What people speak to a server with: a kopf operator, and the official client."""

import contextlib
import itertools
import logging
import threading

import kubernetes.client
import kubernetes.config
import kubernetes.dynamic
import kubernetes.watch
import pytest

from tests.contract.kube.client import config_map, eventually
from tests.contract.kube.operator import FINALIZER, Operator
from tests.contract.kube.test_custom import DEFINITIONS, definition, is_established

# kopf leaves connections open when it is stopped; only a process that ends stops it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

CONTROL = "/_fakekube"
_numbers = itertools.count()


@pytest.fixture
def group(kube):
    """Return a group with a new kind, which goes at the end."""
    # kubectl takes "widgets" for those of the first group by name: the stories come before.
    name = f"watched{next(_numbers)}.example.com"
    kube.must("POST", DEFINITIONS, definition(name))
    eventually(lambda: is_established(kube, f"widgets.{name}"))
    # The operator looks once for the kinds there are.
    eventually(
        lambda: (
            kube.ask("GET", f"/apis/{name}/v1").code == 200
            and name in kube.ask("GET", "/apis").text
        )
    )
    yield name
    kube.ask("DELETE", f"{DEFINITIONS}/widgets.{name}")


@pytest.fixture
def widgets(group, namespace):
    return f"/apis/{group}/v1/namespaces/{namespace}/widgets"


def widget(group, name, size="m"):
    return {
        "apiVersion": f"{group}/v1",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": size},
    }


# --- kopf ----------------------------------------------------------------------------------------


@pytest.fixture
def operator(request, kube, group, namespace):
    """Return what makes an operator of the kind of this test; ``with`` starts and stops it."""
    logging.getLogger("kopf").setLevel(logging.CRITICAL)
    certificates = {}
    if kube.is_real:
        plane = request.getfixturevalue("control_plane")
        certificates = {
            "ca_path": str(plane.ca),
            "certificate_path": str(plane.client_certificate),
            "private_key_path": str(plane.client_key),
        }
    return lambda: Operator(kube, group, namespace, certificates)


def phase(kube, path):
    return kube.must("GET", path).get("status", {}).get("phase")


def test_an_operator_sees_an_object_from_its_first_day_to_its_last(kube, group, widgets, operator):
    with operator() as mine:
        kube.must("POST", widgets, widget(group, "one"))
        eventually(lambda: phase(kube, f"{widgets}/one") == "made m")
        made = kube.must("GET", f"{widgets}/one")["metadata"]
        assert made["finalizers"] == [FINALIZER]
        assert "kopf.zalando.org/last-handled-configuration" in made["annotations"]
        kube.must("PATCH", f"{widgets}/one", {"spec": {"size": "l"}})
        eventually(lambda: phase(kube, f"{widgets}/one") == "changed to l")
        marked = kube.must("DELETE", f"{widgets}/one")
        assert "deletionTimestamp" in marked["metadata"]
        eventually(lambda: not kube.has(f"{widgets}/one"))
        eventually(lambda: mine.events_of("one")[-1] == "DELETED")
    assert mine.of("one") == ["created", "updated", "deleted"]


def test_an_operator_takes_up_what_happened_while_it_was_away(kube, group, widgets, operator):
    for name in ("stays", "changes", "goes"):
        kube.must("POST", widgets, widget(group, name))
    with operator() as first:
        for name in ("stays", "changes", "goes"):
            eventually(lambda name=name: phase(kube, f"{widgets}/{name}") == "made m")
    assert first.events_of("stays")[0] == "LISTED"
    kube.must("PATCH", f"{widgets}/changes", {"spec": {"size": "l"}})
    kube.must("DELETE", f"{widgets}/goes")
    assert kube.has(f"{widgets}/goes"), "Its finalizer waits for the operator."
    kube.must("POST", widgets, widget(group, "new"))
    with operator() as second:
        eventually(lambda: phase(kube, f"{widgets}/changes") == "changed to l")
        eventually(lambda: phase(kube, f"{widgets}/new") == "made m")
        eventually(lambda: not kube.has(f"{widgets}/goes"))
        eventually(lambda: second.events_of("stays"))
    found = {name: second.of(name) for name in ("stays", "changes", "goes", "new")}
    assert found == {"stays": [], "changes": ["updated"], "goes": ["deleted"], "new": ["created"]}


def _drop(kube):
    assert kube.must("POST", f"{CONTROL}/drop-watches")["dropped"] > 0


def _expire(kube):
    kube.must("POST", f"{CONTROL}/compact")
    assert kube.must("POST", f"{CONTROL}/drop-watches", {"expired": True})["dropped"] > 0


def _refuse_its_return(kube):
    for effect in ("refuse", "throttle", "drop"):
        fault = {"effect": effect, "verb": "watch", "resource": "widgets", "times": 1}
        kube.must("POST", f"{CONTROL}/faults", fault)
    _drop(kube)


@pytest.mark.parametrize("break_it", [_drop, _expire, _refuse_its_return])
def test_an_operator_survives_the_loss_of_its_watch(kube, group, widgets, operator, break_it):
    if kube.is_real:
        pytest.skip("A real server cannot be told to drop a watch.")
    kube.must("POST", widgets, widget(group, "one"))
    try:
        with operator() as mine:
            eventually(lambda: phase(kube, f"{widgets}/one") == "made m")
            break_it(kube)
            kube.must("POST", widgets, widget(group, "two"))
            kube.must("PATCH", f"{widgets}/one", {"spec": {"size": "l"}})
            eventually(lambda: phase(kube, f"{widgets}/two") == "made m")
            eventually(lambda: phase(kube, f"{widgets}/one") == "changed to l")
        assert mine.of("one") == ["created", "updated"]
        assert mine.of("two") == ["created"]
    finally:
        kube.must("DELETE", f"{CONTROL}/faults", {})


# --- The official client -------------------------------------------------------------------------


@pytest.fixture
def api(kube):
    """Return the official client, from the kubeconfig of the server."""
    with kubernetes.config.new_client_from_config(config_file=str(kube.kubeconfig)) as client:
        yield client


@pytest.fixture
def core(api):
    return kubernetes.client.CoreV1Api(api)


@contextlib.contextmanager
def refusal(status, reason=None):
    """Expect an error of the official client; the value gives its body afterwards."""
    with pytest.raises(kubernetes.client.ApiException) as caught:
        yield
    assert caught.value.status == status
    if reason is not None:
        assert f'"reason":"{reason}"' in str(caught.value.body).replace('": "', '":"')


def test_the_official_client_writes_and_reads_typed_objects(core, namespace):
    labels = {"app": "a"}
    body = kubernetes.client.V1ConfigMap(
        metadata=kubernetes.client.V1ObjectMeta(name="one", labels=labels), data={"a": "1"}
    )
    made = core.create_namespaced_config_map(namespace, body)
    assert made.metadata.creation_timestamp.tzinfo is not None
    made.data["b"] = "2"
    changed = core.replace_namespaced_config_map("one", namespace, made)
    assert changed.data == {"a": "1", "b": "2"}
    with refusal(409, "Conflict"):
        core.replace_namespaced_config_map("one", namespace, made)
    with refusal(409, "AlreadyExists"):
        core.create_namespaced_config_map(namespace, body)
    core.patch_namespaced_config_map("one", namespace, {"data": {"a": None}})
    assert core.read_namespaced_config_map("one", namespace).data == {"b": "2"}
    listed = core.list_namespaced_config_map(namespace, label_selector="app=a")
    assert [each.metadata.name for each in listed.items] == ["one"]
    assert core.delete_namespaced_config_map("one", namespace)["status"] == "Success"
    with refusal(404, "NotFound"):
        core.read_namespaced_config_map("one", namespace)


def test_the_official_client_reads_secrets_and_pods(core, namespace):
    secret = {"metadata": {"name": "one"}, "stringData": {"a": "b"}}
    made = core.create_namespaced_secret(namespace, secret)
    assert (made.data, made.type) == ({"a": "Yg=="}, "Opaque")
    spec = {"containers": [{"name": "c", "image": "i"}]}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "one"}, "spec": spec})
    status = {"status": {"phase": "Running"}}
    core.patch_namespaced_pod_status("one", namespace, status)
    found = core.list_namespaced_pod(namespace, field_selector="status.phase=Running").items
    assert found[0].spec.containers[0].image_pull_policy == "Always"


def test_the_official_client_pages(core, namespace):
    for number in range(5):
        core.create_namespaced_config_map(namespace, config_map(f"m{number}", labels={"x": "y"}))
    found, token, rest = [], None, []
    while True:
        page = core.list_namespaced_config_map(
            namespace, limit=2, label_selector="x=y", **({"_continue": token} if token else {})
        )
        found.append([each.metadata.name for each in page.items])
        rest.append(page.metadata.remaining_item_count)
        token = page.metadata._continue
        if not token:
            break
    assert found == [["m0", "m1"], ["m2", "m3"], ["m4"]]
    # With a selector nobody counts what is left.
    assert rest == [None, None, None]


def test_the_official_client_watches_from_a_version_and_for_a_time(core, namespace):
    first = core.create_namespaced_config_map(namespace, config_map("one"))
    core.create_namespaced_config_map(namespace, config_map("two"))
    core.patch_namespaced_config_map("one", namespace, {"data": {"a": "c"}})
    core.delete_namespaced_config_map("two", namespace)
    watch = kubernetes.watch.Watch()
    found = [
        (event["type"], event["object"].metadata.name)
        for event in watch.stream(
            core.list_namespaced_config_map,
            namespace,
            resource_version=first.metadata.resource_version,
            timeout_seconds=1,
        )
        if event["object"].metadata.name in {"one", "two"}
    ]
    assert found == [("ADDED", "two"), ("MODIFIED", "one"), ("DELETED", "two")]
    assert int(watch.resource_version) > int(first.metadata.resource_version)


def test_the_official_client_stops_a_watch(core, namespace):
    watch, found = kubernetes.watch.Watch(), []

    def look():
        stream = watch.stream(
            core.list_namespaced_config_map, namespace, field_selector="metadata.name=late"
        )
        for event in stream:
            found.append(event["type"])
            watch.stop()

    thread = threading.Thread(target=look)
    thread.start()
    core.create_namespaced_config_map(namespace, config_map("late"))
    thread.join(20)
    assert not thread.is_alive()
    assert found == ["ADDED"]


def test_the_official_client_is_told_that_a_version_is_gone(kube, core, namespace):
    if kube.is_real:
        pytest.skip("A real server forgets nothing within minutes.")
    version = core.create_namespaced_config_map(namespace, config_map("one")).metadata
    core.patch_namespaced_config_map("one", namespace, {"data": {"a": "c"}})
    kube.must("POST", f"{CONTROL}/compact")
    stream = kubernetes.watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        resource_version=version.resource_version,
        timeout_seconds=2,
    )
    with refusal(410):
        next(stream)


def test_the_official_client_handles_custom_objects(api, group, namespace):
    custom = kubernetes.client.CustomObjectsApi(api)
    where = (group, "v1", namespace, "widgets")
    made = custom.create_namespaced_custom_object(*where, widget(group, "one"))
    assert made["metadata"]["generation"] == 1
    custom.patch_namespaced_custom_object_status(*where, "one", {"status": {"phase": "on"}})
    made = custom.get_namespaced_custom_object(*where, "one")
    assert made["status"] == {"phase": "on"}
    made["spec"]["size"] = "l"
    changed = custom.replace_namespaced_custom_object(*where, "one", made)
    assert changed["metadata"]["generation"] == 2
    custom.patch_namespaced_custom_object_scale(*where, "one", {"spec": {"replicas": 3}})
    scale = custom.get_namespaced_custom_object_scale(*where, "one")
    assert scale["spec"] == {"replicas": 3}
    with refusal(422, "Invalid"):
        custom.patch_namespaced_custom_object(*where, "one", {"spec": {"size": 1}})
    assert len(custom.list_namespaced_custom_object(*where)["items"]) == 1
    assert custom.delete_namespaced_custom_object(*where, "one")["status"] == "Success"


# --- The dynamic client --------------------------------------------------------------------------


@pytest.fixture
def dynamic(api, group):  # noqa: ARG001 - made first
    # It looks for the kinds there are when it is made, so the group comes before it.
    return kubernetes.dynamic.DynamicClient(api)


@pytest.fixture
def resource(dynamic, group):
    return dynamic.resources.get(api_version=f"{group}/v1", kind="Widget")


def test_the_dynamic_client_discovers(dynamic, resource):
    assert (resource.name, resource.namespaced) == ("widgets", True)
    assert set(resource.subresources) == {"status", "scale"}
    # Without a prefix it asks for all groups, and one of an earlier test may be about to go.
    assert dynamic.resources.get(prefix="api", api_version="v1", kind="Pod").short_names == ["po"]
    assert dynamic.resources.get(kind="Deployment", api_version="apps/v1").group == "apps"
    with pytest.raises(kubernetes.dynamic.exceptions.ResourceNotFoundError):
        dynamic.resources.get(api_version="none.example.com/v1", kind="Nothing")


def test_the_dynamic_client_writes_and_watches(group, resource, namespace):
    made = resource.create(body=widget(group, "one"), namespace=namespace)
    media = "application/merge-patch+json"
    body = {"metadata": {"name": "one"}, "spec": {"size": "l"}}
    changed = resource.patch(body=body, namespace=namespace, content_type=media)
    assert changed.spec.size == "l"
    status = {"metadata": {"name": "one"}, "status": {"phase": "on"}}
    resource.status.patch(body=status, name="one", namespace=namespace, content_type=media)
    resource.delete(name="one", namespace=namespace)
    with pytest.raises(kubernetes.dynamic.exceptions.NotFoundError):
        resource.get(name="one", namespace=namespace)
    events = resource.watch(
        namespace=namespace, resource_version=made.metadata.resourceVersion, timeout=1
    )
    found = [(each["type"], each["raw_object"].get("status")) for each in events]
    on = {"phase": "on"}
    assert found == [("MODIFIED", None), ("MODIFIED", on), ("DELETED", on)]


def test_the_dynamic_client_applies_with_conflict_and_force(group, resource, namespace):
    def apply(size, manager, **options):
        body = widget(group, "one", size)
        return resource.server_side_apply(
            body=body, namespace=namespace, field_manager=manager, **options
        )

    apply("s", "first")
    with pytest.raises(kubernetes.dynamic.exceptions.ConflictError) as caught:
        apply("l", "second")
    problem = kubernetes.client.ApiClient().sanitize_for_serialization(str(caught.value.body))
    assert 'conflict with \\"first\\"' in problem
    assert ".spec.size" in problem
    forced = apply("l", "second", force_conflicts=True)
    assert forced.spec.size == "l"
    owners = {
        each["manager"]: each.get("fieldsV1", {}).get("f:spec")
        for each in forced.to_dict()["metadata"]["managedFields"]
    }
    assert owners == {"second": {"f:size": {}}}
