"""Random steps for the differential tests of patches: who writes what to an object, and how."""

from hypothesis import strategies as st

MANAGERS = st.sampled_from(["ann", "bob", "kubectl", "ann/x"])
NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["x", "y", "", 'q"<'])
NUMBERS = st.sampled_from([0, 1, 2])
NESTED = st.fixed_dictionaries({}, optional={"x": TEXTS, "y": NUMBERS})
TEXT_MAP = st.dictionaries(NAMES, TEXTS, max_size=2)
ANY = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=2)),
    max_leaves=4,
)


def unique(items, key=None):
    return st.lists(items, max_size=3, unique_by=key or (lambda item: item))


ITEM = st.fixed_dictionaries(
    {"name": NAMES},
    optional={"value": TEXTS, "nested": NESTED, "tags": unique(NAMES)},
)
PORT = st.fixed_dictionaries(
    {"port": NUMBERS},
    optional={"protocol": st.sampled_from(["TCP", "UDP"]), "title": TEXTS},
)
PART = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXTS,
        "number": NUMBERS,
        "flag": st.one_of(st.none(), st.booleans()),
        "either": st.one_of(TEXTS, NUMBERS),
        "map": TEXT_MAP,
        "maps": st.dictionaries(NAMES, NESTED, max_size=2),
        "atomicMap": TEXT_MAP,
        "struct": NESTED,
        "atomicStruct": NESTED,
        "set": unique(NAMES),
        "numbers": unique(NUMBERS),
        "atomicList": st.lists(NAMES, max_size=2),
        "plainList": st.lists(NESTED, max_size=2),
        "items": unique(ITEM, lambda item: item["name"]),
        "ports": unique(PORT, lambda item: (item["port"], item.get("protocol", "TCP"))),
        "any": st.dictionaries(NAMES, ANY, max_size=2),
    },
)
META = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.dictionaries(NAMES, st.sampled_from(["x", "y"]), max_size=2),
        "annotations": TEXT_MAP,
        "finalizers": unique(st.sampled_from(["e.com/a", "e.com/b"])),
    },
)
WIDGET = st.fixed_dictionaries({}, optional={"spec": PART, "metadata": META})
WIDGET_STATUS = st.fixed_dictionaries({"status": PART})
CONFIG_MAP = st.fixed_dictionaries(
    {}, optional={"data": TEXT_MAP, "binaryData": st.just({"d": "eA=="}), "metadata": META}
)
ENV = st.fixed_dictionaries({"name": NAMES}, optional={"value": TEXTS})
CONTAINER_PORT = st.fixed_dictionaries(
    {"containerPort": st.sampled_from([80, 81])},
    optional={"protocol": st.sampled_from(["TCP", "UDP"]), "name": st.sampled_from(["p", "q"])},
)
LIMITS = st.dictionaries(
    st.sampled_from(["cpu", "memory"]), st.sampled_from(["1", "0.5", "100m", 2, "1Gi"]), max_size=2
)
CONTAINER = st.fixed_dictionaries(
    {"name": NAMES, "image": st.sampled_from(["i", "j"])},
    optional={
        "env": unique(ENV, lambda item: item["name"]),
        "args": st.lists(NAMES, max_size=2),
        "ports": unique(
            CONTAINER_PORT, lambda item: (item["containerPort"], item.get("protocol", "TCP"))
        ),
        "resources": st.fixed_dictionaries({}, optional={"limits": LIMITS}),
        "stdin": st.booleans(),
        "imagePullPolicy": st.sampled_from(["Always", "Never"]),
    },
)
CONTAINERS = st.lists(CONTAINER, min_size=1, max_size=2, unique_by=lambda item: item["name"])
TOLERATION = st.fixed_dictionaries({"key": NAMES, "operator": st.just("Exists")})
POD_SPEC = st.fixed_dictionaries(
    {"containers": CONTAINERS},
    optional={
        "nodeSelector": st.dictionaries(NAMES, NAMES, max_size=1),
        "tolerations": st.lists(TOLERATION, max_size=2),
        "hostNetwork": st.sampled_from([False]),
        "terminationGracePeriodSeconds": NUMBERS,
        "securityContext": st.sampled_from([{}, {"runAsUser": 1}]),
    },
)
SELECTOR = {"matchLabels": {"app": "a"}}
STRATEGY = st.sampled_from(
    [
        {},
        {"type": "Recreate"},
        {"type": "RollingUpdate"},
        {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%"}},
    ]
)
DEPLOYMENT = st.fixed_dictionaries(
    {
        "spec": st.fixed_dictionaries(
            {
                "selector": st.just(SELECTOR),
                "template": st.fixed_dictionaries(
                    {"metadata": st.just({"labels": {"app": "a"}}), "spec": POD_SPEC}
                ),
            },
            optional={
                "replicas": NUMBERS,
                "paused": st.booleans(),
                "minReadySeconds": NUMBERS,
                "strategy": STRATEGY,
            },
        )
    },
    optional={"metadata": META},
)
POD = st.fixed_dictionaries({"spec": POD_SPEC}, optional={"metadata": META})
SERVICE_PORT = st.fixed_dictionaries(
    {"port": st.sampled_from([80, 81]), "name": NAMES},
    optional={
        "protocol": st.sampled_from(["TCP", "UDP"]),
        "targetPort": st.sampled_from([8080, "http"]),
    },
)
SERVICE = st.fixed_dictionaries(
    {
        "spec": st.fixed_dictionaries(
            {
                "ports": st.lists(
                    SERVICE_PORT,
                    min_size=1,
                    max_size=2,
                    unique_by=(lambda item: item["name"], lambda item: item["port"]),
                )
            },
            optional={
                "selector": st.dictionaries(NAMES, NAMES, max_size=1),
                "sessionAffinity": st.sampled_from(["None", "ClientIP"]),
                "publishNotReadyAddresses": st.booleans(),
            },
        )
    },
    optional={"metadata": META},
)
PARTS = {
    "Widget": WIDGET,
    "ConfigMap": CONFIG_MAP,
    "Deployment": DEPLOYMENT,
    "Pod": POD,
    "Service": SERVICE,
}
# What no type allows; one thing each, because the real server meets several in any order.
BROKEN_META = st.sampled_from(
    [
        {"metadata": {"labels": {"a": 1}}},
        {"metadata": {"labels": ["a"]}},
        {"metadata": {"finalizers": ["e.com/a", "e.com/a"]}},
        {"metadata": {"finalizers": "e.com/a"}},
        {"metadata": {"unknown": True}},
        {"metadata": {"managedFields": []}},
        {"unknown": {"x": 1.5}},
        {"metadata": {"ownerReferences": [{"name": "a"}]}},
        {"metadata": {"ownerReferences": [None]}},
        {"kind": "Other"},
        {"apiVersion": "v9"},
    ]
)
BROKEN = {
    "Widget": st.sampled_from(
        [
            {"spec": {"set": ["a", "a"]}},
            {"spec": {"set": [{"a": "b"}]}},
            {"spec": {"set": [None]}},
            {"spec": {"set": [["a"]]}},
            {"spec": {"items": [{"value": "x"}]}},
            {"spec": {"items": [{"name": "a"}, {"name": "a", "value": "x"}]}},
            {"spec": {"items": ["a"]}},
            {"spec": {"items": [{"name": "a", "tags": ["x", "x"]}]}},
            {"spec": {"ports": [{"port": 1}, {"port": 1, "protocol": "TCP"}]}},
            {"spec": {"number": "x"}},
            {"spec": {"number": True}},
            {"spec": {"number": [1, "a"]}},
            {"spec": {"flag": "x"}},
            {"spec": {"flag": {"a": [1, None, True, 1.5]}}},
            {"spec": {"text": 1}},
            {"spec": {"text": {"a": [1, None, True, 1.5, "x"]}}},
            {"spec": {"map": "x"}},
            {"spec": {"struct": {"z": 1}}},
            {"spec": {"maps": {"a": {"z": 1}}}},
            {"spec": {"atomicList": "x"}},
            {"spec": {"plainList": [{"x": 1}]}},
            {"spec": {"atomicStruct": {"x": 1}}},
            {"spec": "x"},
        ]
    ),
    "ConfigMap": st.sampled_from([{"data": {"a": 1}}, {"data": ["a"]}, {"immutable": "x"}]),
}


@st.composite
def merge_patches(draw, parts):
    """Return a part with some of its fields made null."""

    def thinned(value):
        if isinstance(value, dict):
            found = {key: thinned(item) for key, item in value.items()}
            gone = draw(st.lists(st.sampled_from([*found, "text", "map", "items"]), max_size=1))
            return found | dict.fromkeys(gone) if draw(st.integers(0, 2)) == 0 else found
        return value

    return thinned(draw(parts))


def pointers(value, before=""):
    """Give the JSON pointers of all that is in a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        here = f"{before}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield here, item
        if isinstance(item, dict | list):
            yield from pointers(item, here)


@st.composite
def json_patches(draw, parts):
    """Return operations on what a part has, and on what is not there."""
    known = list(pointers(draw(parts))) or [("/metadata/labels", {})]
    found = []
    for _ in range(draw(st.integers(1, 3))):
        path, value = draw(st.sampled_from(known))
        path += draw(st.sampled_from(["", "", "", "/0", "/-", "/a", "/-1"]))
        kind = draw(st.sampled_from(["add", "add", "replace", "remove", "test", "copy", "move"]))
        operation = {"op": kind, "path": path}
        if kind in {"add", "replace", "test"}:
            operation["value"] = draw(st.sampled_from([value, value, None, "x"]))
        elif kind in {"copy", "move"}:
            operation["from"] = draw(st.sampled_from(known))[0]
        found.append(operation)
    return found


def _directed_list(draw, items):
    """Return the items of a list with a directive among them, now and then."""
    found = [_directed(draw, item) for item in items]
    if items and isinstance(items[0], dict):
        key = "name" if "name" in items[0] else "port"
        roll = draw(st.integers(0, 5))
        more = [{"$patch": "delete", key: draw(NAMES)}] if roll == 0 else []
        found += [{"$patch": "replace"}] if roll == 1 else more
    return found


def _ordered(draw, key, items):
    """Return the directive that orders a list, or that takes away from it."""
    if key == "finalizers":
        return {f"$deleteFromPrimitiveList/{key}": draw(unique(st.sampled_from(items)))}
    if not isinstance(items[0], dict):
        return {}
    name = {"ports": "port"}.get(key, "name")
    name = "containerPort" if "containerPort" in items[0] else name
    order = [{name: item.get(name)} for item in items]
    order += draw(st.lists(st.builds(lambda value: {name: value}, NAMES), max_size=1))
    return {f"$setElementOrder/{key}": draw(st.permutations(order))}


def _directed(draw, value):
    """Return a part of a patch with directives in it, now and then."""
    if isinstance(value, list):
        return _directed_list(draw, value)
    if not isinstance(value, dict):
        return value
    found = {key: _directed(draw, item) for key, item in value.items()}
    roll = draw(st.integers(0, 12))
    if roll == 0:
        return found | {"$patch": draw(st.sampled_from(["replace", "delete", "merge"]))}
    if roll == 1:
        return found | {"$retainKeys": [*[*value][: draw(st.integers(0, 3))], "type"]}
    lists = {key: item for key, item in value.items() if isinstance(item, list) and item}
    for key, items in lists.items() if roll <= 5 else ():
        found |= _ordered(draw, key, items)
        # Which of the two comes first, the real server leaves to chance.
        if key == "finalizers":
            del found[key]
    return found


@st.composite
def strategic_patches(draw, parts):
    """Return a merge patch with directives."""
    return _directed(draw, draw(merge_patches(parts)))


# Managed fields as clients send them; a text stands for something of the live object.
ENTRIES = st.sampled_from(
    [
        [],
        [{}],
        "live",
        "first",
        "last",
        [{"manager": "x", "operation": "Update", "apiVersion": "v1"}],
        [{"manager": "x", "operation": "Wrong", "apiVersion": "v1", "fieldsType": "FieldsV1"}],
        "own",
        "strange",
    ]
)


@st.composite
def status_steps(draw, manager):
    """Return a step that writes the status of a custom resource."""
    status = draw(WIDGET_STATUS)
    how = draw(st.sampled_from(["put", "merge", "apply"]))
    if how == "put":
        return ("put", status, manager, "status")
    if how == "merge":
        return ("patch", "merge", draw(merge_patches(WIDGET_STATUS)), manager, "status")
    return ("apply", status, manager, draw(st.booleans()), "status")


@st.composite
def steps(draw, kind):
    """Return one step: the name of a method of World, and its arguments."""
    parts = PARTS[kind]
    manager = draw(MANAGERS)
    ways = ["create", "put", "merge", "json", "apply", "apply", "apply"]
    ways += ["strategic", "strategic"] if kind != "Widget" else ["status"]
    ways += ["entries", "broken"]
    way = draw(st.sampled_from(ways))
    if way == "status":
        return draw(status_steps(manager))
    if way == "entries":
        return ("put_entries", draw(parts), manager, draw(ENTRIES))
    if way == "broken":
        return ("apply", draw(st.one_of(BROKEN_META, BROKEN.get(kind, BROKEN_META))), manager)
    if way in {"create", "put"}:
        return (way, draw(parts), manager)
    if way == "merge":
        return ("patch", way, draw(merge_patches(parts)), manager)
    if way == "json":
        return ("patch", way, draw(json_patches(parts)), manager)
    if way == "strategic":
        return ("patch", way, draw(strategic_patches(parts)), manager)
    return ("apply", draw(parts), manager, draw(st.sampled_from([False, False, True])))


@st.composite
def sequences(draw, kind):
    """Return steps, of which the first one makes an object."""
    first = st.one_of(
        st.tuples(st.just("create"), PARTS[kind], MANAGERS),
        st.tuples(st.just("apply"), PARTS[kind], MANAGERS),
    )
    return [draw(first), *draw(st.lists(steps(kind), max_size=5))]
