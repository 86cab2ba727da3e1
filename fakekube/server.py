"""The server: from a request to an answer, through authentication, authorisation and routes."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from fakekube import (
    admission,
    authn,
    clock,
    codec,
    control,
    conversion,
    crd,
    faults,
    objects,
    paths,
    policy,
    rbac,
    reviews,
    roots,
    status,
    store,
    tokens,
    watches,
    webhook,
)
from fakekube.call import Call, Request, Response
from fakekube.collector import Collector
from fakekube.lifecycle import Deleter
from fakekube.registry import Registry, media_types
from fakekube.resource import Resource
from fakekube.writes import Writer

Json = Any
Object = dict[str, Any]
TOO_DEEP = "the object exceeded max depth, which is some hundred levels here"
NOT_FOUND = Response(404, [b"404 page not found\n"], "text/plain; charset=utf-8")


class Kube:
    """One Kubernetes API server in memory.

    ``time`` is its clock, ``seed`` makes its uids and generated names repeatable. With ``rbac``
    off everybody may do everything, and with ``anonymous`` the one who asks need not say who.
    """

    def __init__(
        self,
        *,
        time: clock.Clock | None = None,
        seed: int | None = None,
        use_rbac: bool = False,
        tokens_known: dict[str, authn.User] | None = None,
        services: dict[str, str] | None = None,
    ) -> None:
        self.clock = time or clock.Clock()
        self.chance = clock.Chance(seed)
        self.registry = Registry(self.clock, self.chance)
        self.store = self.registry.store
        self.catalog = self.registry.catalog
        self.faults = faults.Faults(self.chance.share)
        self.writer = Writer(self.registry)
        self.deleter = Deleter(self.registry, self.writer)
        self.collector = Collector(self.registry, self.deleter, self._internal_user)
        self.definitions = crd.Definitions(
            self.store, self.catalog.add, self._withdraw, self.collector.empty, self._track
        )
        self.issuer = tokens.Issuer(self.store, self.clock, self.chance)
        self.authenticator = authn.Authenticator(self.issuer, tokens_known)
        self.authorizer = rbac.Authorizer(self.store, is_on=use_rbac)
        self.policy = policy.Policy(self.store)
        known = webhook.Services(services)
        self.caller = webhook.Caller()
        self.registry.gate = admission.Admission(
            self.registry, self.authorizer, services=known, caller=self.caller
        )
        self.registry.converter = conversion.Converter(self.registry, known, self.caller)
        self.watches = watches.Watches(self)
        self.objects = objects.Objects(self)
        self.roots = roots.Roots(self)
        reviewer = reviews.Reviewer(self.authenticator, self.authorizer, self.clock)
        self.roots.reviews |= reviewer.handlers()
        self.control = control.Control(self)
        self.later: Callable[[Coroutine[Any, Any, None]], None] | None = None
        """Run something in the background; None does it at once."""
        roots.install(self)

    def _withdraw(self, resource: Resource) -> None:
        self.catalog.remove(resource)
        if not self.catalog.of_group(resource.group, resource.plural):
            self.watches.end(resource.storage_key)

    def _track(self, obj: Object, old: Object) -> None:
        kind = self.catalog.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        assert kind is not None, "Definitions are served."
        now = self.clock.stamp()
        self.writer.field_managers.track(kind, old, obj, "kube-apiserver", now, "status")

    def _internal_user(self, name: str) -> authn.User:
        groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", authn.MASTERS]
        return authn.known(name, groups)

    async def answer(self, request: Request) -> Response:
        """Answer a request; whatever goes wrong becomes a Status."""
        try:
            path, _, text = request.target.partition("?")
            if path.startswith(control.ROOT):
                found = self.control.answer(request)
                await self.settle()
                return found
            info = paths.parse_path(request.method, path)
            query = paths.parse_query(text)
            if info.verb == "list" and query:
                info = _refined(info, query)
            struck = self.faults.strike(info) if self.faults else None
            if struck is not None and not struck.is_carried_out:
                return struck.answer(self._problem)
            if struck is not None and struck.seconds:
                await asyncio.sleep(struck.seconds)
            found = await self._authorized(request, info, query)
            return found if struck is None else struck.after(found)
        except status.ApiError as problem:
            return self._problem(problem)
        except RecursionError:
            return self._problem(status.bad_request(TOO_DEEP))
        except Exception as problem:  # noqa: BLE001 - no request can break the server
            traceback.print_exc(file=sys.stderr)
            return self._problem(status.internal_error(f"{type(problem).__name__}: {problem}"))

    async def answer_as_admin(self, request: Request) -> Response:
        """Answer a request of this process, which need not say who it is."""
        path, _, text = request.target.partition("?")
        info, query = paths.parse_path(request.method, path), paths.parse_query(text)
        user = authn.known("system:apiserver", [authn.MASTERS])
        try:
            return await self._resource(request, info, query, user)
        except status.ApiError as problem:
            return self._problem(problem)

    async def _authorized(
        self, request: Request, info: paths.RequestInfo, query: dict[str, str]
    ) -> Response:
        user = self.authenticator.authenticate(request.headers, request.certificate)
        user = authn.impersonated(
            user, request.headers, request.target, self.authorizer.authorize, self._forbid
        )
        decision = self.authorizer.authorize(user, info)
        if not decision.is_allowed:
            raise self._forbid(user, info, decision.reason)
        if not info.is_resource:
            found = self.roots.answer(request, info)
            return found if found is not None else NOT_FOUND
        return await self._resource(request, info, query, user)

    def _forbid(self, user: authn.User, info: paths.RequestInfo, reason: str) -> status.ApiError:
        return self.authorizer.refuse(user, info, reason)

    async def _resource(
        self, request: Request, info: paths.RequestInfo, query: dict[str, str], user: authn.User
    ) -> Response:
        resource = self.catalog.find(info.group, info.version, info.resource)
        if resource is None:
            if info.group and not self.catalog.serves(info.group):
                return NOT_FOUND
            raise status.unknown_resource()
        headers = request.headers
        accept = headers.get("accept", "")
        media = codec.PLAIN
        if accept not in codec.ANYTHING:
            media = codec.negotiate(accept.replace("\0", ","), media_types(resource))
        call = Call(
            info,
            resource,
            query,
            user,
            headers.get("user-agent", ""),
            headers.get("content-type", ""),
            request.body,
            media,
        )
        if resource.warning:
            call.warnings.append(resource.warning)
        self.collector.expire()
        try:
            response = await self.objects.answer(call, request)
        except status.ApiError as problem:
            response = self._problem(problem)
        for text in call.warnings:
            shown = text.replace("\\", "\\\\").replace('"', '\\"')
            response.headers.append(("Warning", f'299 - "{shown}"'))
        if info.verb not in {"get", "list", "watch"}:
            await self.settle()
        return response

    async def settle(self) -> None:
        """Do what follows from a write: definitions at once, the collector in its time."""
        self.definitions.settle(self.clock)
        if self.collector:
            if self.later is not None and not self.clock.is_frozen:
                self.later(self._collect())
            else:
                await self._collect()

    async def _collect(self) -> None:
        for _ in range(100):
            if not self.collector:
                return
            await self.collector.drain()
            self.definitions.settle(self.clock)

    def dump(self) -> Json:
        """Return the whole state as JSON-ready data."""
        return {"clock": self.clock.now(), **self.store.dump()}

    def load(self, saved: Json) -> None:
        """Take over a state; what is there now goes."""
        self.store.load(saved)
        if self.clock.is_frozen and "clock" in saved:
            self.clock.jump(saved["clock"])
        self.definitions.settle(self.clock)

    def reset(self) -> None:
        """Begin again with the objects of the start, and without faults."""
        self.faults.clear()
        self.store.load({"resourceVersion": self.store.rv, "objects": {}})
        self.definitions.settle(self.clock)
        roots.first_objects(self)

    def _problem(self, problem: status.ApiError) -> Response:
        headers = []
        if problem.retry_after_s:
            headers.append(("Retry-After", str(problem.retry_after_s)))
        if isinstance(problem, authn.PlainRefusal):
            text = problem.message.encode()
            return Response(problem.code, [text], "text/plain; charset=utf-8", headers)
        body = store.encode(problem.status())
        return Response(problem.code, [body, b"\n"], headers=headers)


def _refined(info: paths.RequestInfo, query: dict[str, str]) -> paths.RequestInfo:
    name = ""
    for term in query.get("fieldSelector", "").split(","):
        field, _, value = term.partition("=")
        if field == "metadata.name" and value:
            name = value.lstrip("=")
    verb = "watch" if query.get("watch", "false").lower() not in {"false", "0"} else "list"
    if verb == info.verb and not name:
        return info
    return replace(info, verb=verb, name=name)
