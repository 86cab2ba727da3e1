"""Questions that are asked by creating an object: who am I, may I, is this token good.

None of these objects is stored. The answer is the object with its status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fakekube import status, tokens
from fakekube.authn import Authenticator, User
from fakekube.call import Call
from fakekube.clock import Clock
from fakekube.paths import RequestInfo
from fakekube.rbac import Authorizer, aggregate
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

AUTHENTICATION, AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"


class Reviewer:
    """Answers questions."""

    def __init__(self, authenticator: Authenticator, authorizer: Authorizer, time: Clock) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._clock = time
        self._answers: dict[tuple[str, str], Callable[[Call, Object], Object]] = {
            (AUTHENTICATION, "selfsubjectreviews"): self._who,
            (AUTHENTICATION, "tokenreviews"): self._token,
            (AUTHORIZATION, "selfsubjectaccessreviews"): self._may_i,
            (AUTHORIZATION, "subjectaccessreviews"): self._may,
            (AUTHORIZATION, "localsubjectaccessreviews"): self._may_here,
            (AUTHORIZATION, "selfsubjectrulesreviews"): self._rules,
        }

    def handlers(self) -> dict[tuple[str, str], Callable[[Call, Object], Object]]:
        """Return who answers, by group and plural of the question."""
        return dict.fromkeys(self._answers, self.answer)

    def answer(self, call: Call, obj: Object) -> Object:
        """Return the object of a POST with the answer in its status."""
        resource = call.resource
        found = self._answers[resource.group, resource.plural](call, obj)
        return {"kind": resource.kind, "apiVersion": resource.api_version, **found}

    # Who.

    def _who(self, call: Call, _obj: Object) -> Object:
        return {
            "metadata": {"creationTimestamp": self._clock.stamp()},
            "status": {"userInfo": call.user.json()},
        }

    def _token(self, _call: Call, obj: Object) -> Object:
        spec = obj.get("spec") or {}
        token = spec.get("token")
        if not token:
            raise status.bad_request("token is required for TokenReview in authentication")
        found = {"metadata": obj.get("metadata") or {}, "spec": spec}
        try:
            user, audiences = self._authenticator.of_token(token, spec.get("audiences"))
        except tokens.Refused as refusal:
            return {**found, "status": {"user": {}, "error": str(refusal)}}
        answer = {"authenticated": True, "user": user.json(), "audiences": audiences}
        return {**found, "status": answer}

    # May.

    def _may_i(self, call: Call, obj: Object) -> Object:
        spec = obj.get("spec") or {}
        causes = _what_causes(spec)
        if _own_metadata(obj):
            causes.append(_not_empty(obj, "must be empty"))
        return self._decided(obj, call.user, causes)

    def _may(self, _call: Call, obj: Object) -> Object:
        spec = obj.get("spec") or {}
        causes = _what_causes(spec) + _subject_causes(spec)
        if _own_metadata(obj):
            causes.append(_not_empty(obj, "must be empty"))
        return self._decided(obj, _subject(spec), causes)

    def _may_here(self, call: Call, obj: Object) -> Object:
        spec = obj.get("spec") or {}
        meta = obj.setdefault("metadata", {})
        meta.setdefault("namespace", call.info.namespace)
        causes = _what_causes(spec) + _subject_causes(spec)
        if set(_own_metadata(obj)) - {"namespace"}:
            causes.append(_not_empty(obj, "must be empty except for namespace"))
        about = spec.get("resourceAttributes")
        if about is not None and about.get("namespace", "") != meta["namespace"]:
            where = "spec.resourceAttributes.namespace"
            text = "must match metadata.namespace"
            causes.append(status.field_invalid(where, about.get("namespace", ""), text))
        if spec.get("nonResourceAttributes") is not None:
            text = "disallowed on this kind of request"
            causes.append(_path_cause(spec, text))
        return self._decided(obj, _subject(spec), causes)

    def _decided(self, obj: Object, user: User, causes: list[Cause]) -> Object:
        if causes:
            # The real server does not say of which kind the object is.
            raise status.invalid("", AUTHORIZATION, "", causes)
        spec = obj["spec"]
        decision = self._authorizer.authorize(user, _asked(spec))
        answer: Json = {"allowed": decision.is_allowed}
        if decision.reason:
            answer["reason"] = decision.reason
        return {"metadata": obj.get("metadata") or {}, "spec": spec, "status": answer}

    def _rules(self, call: Call, obj: Object) -> Object:
        namespace = (obj.get("spec") or {}).get("namespace")
        if not namespace:
            raise status.bad_request("no namespace on request")
        found = self._authorizer.grants(call.user, namespace)
        rules = [rule.raw for rule, _ in found.rules]
        answer: Json = {
            "resourceRules": [
                _picked(rule, ("verbs", "apiGroups", "resources", "resourceNames"))
                for rule in rules
                if rule.get("resources")
            ],
            "nonResourceRules": [
                _picked(rule, ("verbs", "nonResourceURLs"))
                for rule in rules
                if rule.get("nonResourceURLs")
            ],
            "incomplete": False,
        }
        if found.problems:
            answer["evaluationError"] = aggregate(found.problems)
        return {"metadata": {}, "spec": {}, "status": answer}


def _picked(rule: Json, keys: Iterable[str]) -> Json:
    return {key: rule[key] for key in keys if rule.get(key)}


def _own_metadata(obj: Object) -> Json:
    meta = obj.get("metadata") or {}
    return {key: value for key, value in meta.items() if key != "managedFields" and value}


def _not_empty(obj: Object, text: str) -> Cause:
    return status.field_invalid("metadata", _own_metadata(obj), text)


def _path_cause(spec: Json, text: str) -> Cause:
    about = spec["nonResourceAttributes"]
    # Messages show the fields as Go names them.
    shown = {"Path": about.get("path", ""), "Verb": about.get("verb", "")}
    return status.field_invalid("spec.nonResourceAttributes", shown, text)


def _what_causes(spec: Json) -> list[Cause]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        return [_path_cause(spec, "cannot be specified in combination with resourceAttributes")]
    if resource is None and path is None:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [status.field_invalid("spec.resourceAttributes", None, text)]
    return []


def _subject_causes(spec: Json) -> list[Cause]:
    if spec.get("user") or spec.get("groups"):
        return []
    text = "at least one of user or group must be specified"
    return [status.field_invalid("spec.user", "", text)]


def _subject(spec: Json) -> User:
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return User(spec.get("user", ""), spec.get("groups") or (), spec.get("uid", ""), extra)


def _asked(spec: Json) -> RequestInfo:
    about = spec.get("resourceAttributes")
    if about is None:
        path = spec["nonResourceAttributes"]
        return RequestInfo("", path.get("path", ""), path.get("verb", ""))
    return RequestInfo(
        "",
        "",
        about.get("verb", ""),
        is_resource=True,
        group=about.get("group", ""),
        version=about.get("version", ""),
        namespace=about.get("namespace", ""),
        resource=about.get("resource", ""),
        subresource=about.get("subresource", ""),
        name=about.get("name", ""),
    )
