"""The two sides of the differential tests of patches: a real kube-apiserver, and fakekube.patch.

Every write goes to the real server. The functions under test do the same to the object that the
real server held before; what comes out has to be what the real server answers, refusals included.
Defaults are not under test here: a dry run of the real server adds them to our results.
"""

import http.client
import itertools
import json
import ssl
import time
from urllib import parse

from fakekube import builtin, status
from fakekube.builtin import normal
from fakekube.patch import FieldManager, json_patch, merge_patch, settle, strategic_merge

GROUP = "patch.example.com"
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
NESTED = {"type": "object", "properties": {"x": TEXT, "y": NUMBER}}
ITEM = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": TEXT,
        "value": TEXT,
        "nested": NESTED,
        "tags": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
    },
}
PORT = {
    "type": "object",
    "required": ["port"],
    "properties": {"port": NUMBER, "protocol": {**TEXT, "default": "TCP"}, "title": TEXT},
}


def listed(items, kind, **more):
    return {"type": "array", "items": items, "x-kubernetes-list-type": kind, **more}


PART = {
    "type": "object",
    "properties": {
        "text": TEXT,
        "number": NUMBER,
        "flag": {"type": "boolean", "nullable": True},
        "either": {"x-kubernetes-int-or-string": True},
        "map": {"type": "object", "additionalProperties": TEXT},
        "maps": {"type": "object", "additionalProperties": NESTED},
        "atomicMap": {
            "type": "object",
            "additionalProperties": TEXT,
            "x-kubernetes-map-type": "atomic",
        },
        "struct": NESTED,
        "atomicStruct": {**NESTED, "x-kubernetes-map-type": "atomic"},
        "set": listed(TEXT, "set"),
        "numbers": listed(NUMBER, "set"),
        "atomicList": listed(TEXT, "atomic"),
        "plainList": {"type": "array", "items": NESTED},
        "items": listed(ITEM, "map", **{"x-kubernetes-list-map-keys": ["name"]}),
        "ports": listed(PORT, "map", **{"x-kubernetes-list-map-keys": ["port", "protocol"]}),
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
SCHEMA = {"type": "object", "properties": {"spec": PART, "status": PART}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"widgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": SCHEMA},
            }
        ],
    },
}
PATHS = {
    "Widget": f"/apis/{GROUP}/v1/namespaces/default/widgets",
    "ConfigMap": "/api/v1/namespaces/default/configmaps",
    "Deployment": "/apis/apps/v1/namespaces/default/deployments",
    "Pod": "/api/v1/namespaces/default/pods",
    "Service": "/api/v1/namespaces/default/services",
}
VERSIONS = {"Widget": f"{GROUP}/v1", "Deployment": "apps/v1"}
# What the real server fills in on creation, after it has looked who sets what.
ALLOCATED = {
    "Pod": ("tolerations", "priority", "preemptionPolicy"),
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"),
}
PANIC = "panic"
CONTENT = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


class Server:
    """The real server, over one connection that is kept."""

    def __init__(self, url, ca, certificate, key):
        self.address = parse.urlsplit(url).netloc
        self.trust = ssl.create_default_context(cafile=ca)
        self.trust.load_cert_chain(certificate, key)
        self.connection = None
        self.names = (f"o{number}-{int(time.time())}" for number in itertools.count())  # noqa: TID251

    def raw(self, method, path, body=None, content="application/json", accept="application/json"):
        """Return code and body of an answer."""
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(self.address, context=self.trust)
        headers = {"Content-Type": content, "Accept": accept, "User-Agent": "tester/1"}
        self.connection.request(method, path, body, headers)
        try:
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            # Some patches make the real server panic.
            self.close()
            return 500, PANIC.encode()
        return answer.status, answer.read()

    def ask(self, method, path, body=None, content="application/json"):
        """Return code and object of an answer."""
        code, answer = self.raw(method, path, None if body is None else json.dumps(body), content)
        is_json = answer[:1] == b"{"
        return code, json.loads(answer) if is_json else {"message": answer.decode()}

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def install(self):
        """Serve the custom resource, and wait until it is."""
        self.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION)
        for _ in range(200):
            code, _ = self.ask("GET", PATHS["Widget"])
            schemas = self.ask("GET", f"/openapi/v3/apis/{GROUP}/v1")[0]
            if (code, schemas) == (200, 200):
                return
            time.sleep(0.05)  # noqa: TID251
        raise AssertionError("The custom resource is not served.")


class World:
    """One object on the real server, and our idea of it."""

    def __init__(self, server, kind):
        self.server = server
        self.kind = kind
        self.name = next(server.names)
        self.api_version = VERSIONS.get(kind, "v1")
        self.live = None
        if kind == "Widget":
            schemas = {self.api_version: SCHEMA}
            self.manager = FieldManager.custom(kind, schemas, has_status=True)
        else:
            self.manager = FieldManager.built_in(self.api_version, kind)

    def whole(self, part):
        """Return an object with the parts of it that a step is about."""
        part = json.loads(json.dumps(part))
        found = {"apiVersion": self.api_version, "kind": self.kind, **part}
        found["metadata"] = {**(part.get("metadata") or {}), "name": self.name}
        return found

    def path(self, subresource="", **query):
        path = PATHS[self.kind] + f"/{self.name}" + (f"/{subresource}" if subresource else "")
        return f"{path}?{parse.urlencode(query)}"

    # --- Steps -----------------------------------------------------------------------------------

    def create(self, part, manager):
        obj = self.whole({"metadata": {}, **part})
        obj["metadata"]["namespace"] = "default"
        query = parse.urlencode({"fieldManager": manager})
        before = now()
        code, answer = self.server.ask("POST", f"{PATHS[self.kind]}?{query}", obj)
        if code >= 400:
            return
        new = bare(answer)
        new["metadata"] = {**obj["metadata"], **(new["metadata"].get("x") or {})}
        self.unallocated(new, part)
        if self.kind == "Widget" and "status" in part:
            new["status"] = part["status"]
        self.agree(before, answer, lambda at: self.update(None, self.spelled(new), manager, at))

    def put(self, part, manager, subresource=""):
        if self.live is None:
            return
        obj = self.whole(part)
        obj["metadata"] = {**obj["metadata"], "namespace": "default"}
        self.write("PUT", obj, obj, manager, subresource)

    def put_entries(self, part, manager, entries):
        """Put an object with managed fields of the client's making."""
        if self.live is None:
            return
        live = self.live["metadata"].get("managedFields") or []
        made = {
            "live": live,
            "first": live[:1],
            "last": live[-1:],
            "own": [entry_of("own", self.api_version, {"f:metadata": {"f:labels": {}}})],
            "strange": [
                entry_of("x", "v9", {"f:spec": {}}),
                entry_of("y", self.api_version, {"k:{ }": {".": {}}, "z:1": {}, "f:data": {}}),
                entry_of("z", self.api_version, {'k:{"b" :1,  "a":"<"}': {}, "v: 1": {}}),
            ],
        }
        entries = made[entries] if isinstance(entries, str) else entries
        obj = self.whole(part)
        obj["metadata"] |= {"namespace": "default", "managedFields": entries}
        self.write("PUT", obj, obj, manager, "")

    def patch(self, how, body, manager, subresource=""):
        if self.live is None:
            return
        try:
            if how == "merge":
                patched = merge_patch(self.live, body)
            elif how == "json":
                patched = json_patch(self.live, body)
            else:
                patched = strategic_merge(self.live, body, self.kind)
        except status.ApiError as error:
            patched = error
        if isinstance(patched, dict) and not isinstance(patched.get("metadata"), dict):
            # Without a name it is refused long before patches matter.
            return
        self.write("PATCH", body, patched, manager, subresource, CONTENT[how])

    def write(self, method, body, patched, manager, subresource, content="application/json"):
        refused = isinstance(patched, status.ApiError)
        expected = None
        if not refused:
            expected = self.defaulted(patched, subresource)
        path = self.path(subresource, fieldManager=manager)
        before = now()
        code, answer = self.server.ask(method, path, body, content)
        if message(answer) == PANIC:
            return
        if code >= 400 and refused:
            # Of several mistakes, the real server meets another one first each time.
            for _ in range(40):
                if message(answer) in {patched.message, PANIC}:
                    break
                code, answer = self.server.ask(method, path, body, content)
            if message(answer) == PANIC:
                return
            assert message(answer) == patched.status()["message"], (answer, patched.status())
            assert code == patched.code, (code, patched.code)
            return
        assert not refused, (patched.status(), code, answer)
        dry, seen = expected
        assert (code < 400) == (dry < 400), (code, answer, dry, seen)
        if code >= 400:
            return
        assert plain(answer) == plain(seen), (plain(answer), plain(seen))
        new = bare(seen)
        self.unallocated(new, patched)
        if self.kind == "Widget":
            # What the strategy throws away later has been looked at.
            new["metadata"] = {k: v for k, v in patched["metadata"].items() if k != "managedFields"}
        if "managedFields" in patched["metadata"]:
            new["metadata"]["managedFields"] = patched["metadata"]["managedFields"]
        self.agree(
            before,
            answer,
            lambda at: self.update(self.live, self.spelled(new), manager, at, subresource),
        )

    def apply(self, part, manager, force=False, subresource=""):  # noqa: FBT002
        applied = self.whole(part)
        if self.live is None and subresource:
            return
        path = self.path(subresource, fieldManager=manager, force=str(force).lower())
        before = now()
        code, answer = self.server.ask("PATCH", path, applied, CONTENT["apply"])
        base = self.live
        try:
            merged = self.applied(base, applied, manager, before, force, subresource)
        except status.ApiError as error:
            merged = error
        if isinstance(merged, status.ApiError):
            assert (code, message(answer)) == (merged.code, merged.message), (
                answer,
                merged.message,
            )
            assert causes(answer) == causes(merged.status()), (answer, merged.status())
            return
        if code >= 400:
            dry, seen = self.defaulted(merged, subresource, create=base is None)
            # What apply leaves as a null is refused, but a client may send it.
            assert dry >= 400 or "null" in message(answer), (code, answer, seen)
            return
        if base is not None and plain(merged) != plain(answer):
            dry, seen = self.defaulted(merged, subresource, against=answer)
            assert dry < 400, (dry, seen, merged)
            assert plain(answer) == plain(seen), (plain(answer), plain(seen))

        def mine(at):
            found = self.applied(base, applied, manager, at, force, subresource)
            entries = found["metadata"].get("managedFields", [])
            settled = {**answer, "metadata": {**answer["metadata"], "managedFields": entries}}
            return settled if base is None else settle(base, settled)

        self.agree(before, answer, mine)

    # --- Both sides ------------------------------------------------------------------------------

    def applied(self, base, applied, manager, at, force, subresource):
        return self.manager.apply(
            base, applied, manager, self.api_version, at, force=force, subresource=subresource
        )

    def update(self, old, new, manager, at, subresource=""):
        found = self.manager.update(
            old, new, manager, self.api_version, at, subresource=subresource
        )
        return found if old is None else settle(old, found)

    def unallocated(self, new, asked):
        """Take away what the real server fills in later, beyond what was asked for."""
        for field in ALLOCATED.get(self.kind, ()):
            wanted = (asked.get("spec") or {}).get(field)
            found = new["spec"].pop(field, None)
            if wanted:
                # More tolerations are added behind those that were asked for.
                new["spec"][field] = found[: len(wanted)] if isinstance(found, list) else found

    def spelled(self, obj):
        """Return an object as the real server holds it when it looks who sets what."""
        found = json.loads(json.dumps(obj))
        if self.kind == "Widget":
            known = builtin.struct(builtin.OBJECT_META).fields
            found["metadata"] = {k: v for k, v in found["metadata"].items() if k in known}
            normal.complete(found["metadata"], builtin.OBJECT_META)
        else:
            normal.complete(found, builtin.name_of(self.api_version, self.kind))
        return found

    def defaulted(self, obj, subresource="", *, create=False, against=None):
        """Return what the real server would make of an object, if it only were asked to."""
        wanted = bare(obj)
        if create:
            path = f"{PATHS[self.kind]}?dryRun=All"
            return self.server.ask("POST", path, wanted)
        metadata = wanted["metadata"]
        # The write it is compared with has happened already.
        if against is not None:
            metadata["resourceVersion"] = against["metadata"]["resourceVersion"]
        return self.server.ask("PUT", self.path(subresource, dryRun="All"), wanted)

    def agree(self, before, answer, mine):
        """Compare the managers that the real server names with ours; take over its object."""
        # Clocks of two processes of a virtual machine may differ a little.
        times = {before, now(), now(0.1)}
        theirs = entries(answer)
        tries = [entries(mine(at)) for at in sorted(times)]
        assert theirs in tries, f"\nreal {json.dumps(theirs)}\nours {json.dumps(tries)}"
        self.live = answer


def entry_of(manager, api_version, names):
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api_version,
        "time": "2020-01-01T02:00:00+02:00",
        "fieldsType": "FieldsV1",
        "fieldsV1": names,
    }


def now(ahead_s=0.0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead_s))  # noqa: TID251


def message(answer):
    return answer.get("message", "")


def causes(answer):
    found = (answer.get("details") or {}).get("causes") or []
    return sorted((cause.get("field", ""), cause.get("message", "")) for cause in found)


def entries(obj):
    """Return the managers, spelled so that also the order of fields counts, where it does."""
    found = obj["metadata"].get("managedFields") or []
    # The real server sorts all keys of a custom resource, and none of a built-in kind.
    return [json.dumps(entry, sort_keys=obj["kind"] == "Widget") for entry in found]


def bare(obj):
    found = json.loads(json.dumps(obj))
    found["metadata"].pop("managedFields", None)
    return found


def plain(obj):
    """Return an object without what every write changes."""
    found = bare(obj)
    for field in ("resourceVersion", "generation"):
        found["metadata"].pop(field, None)
    return found
