"""Admission: the webhooks that change or refuse what is written.

The configurations are objects of the store. Which webhooks are asked about a resource is worked
out once, until a configuration or the catalogue changes, so that a write that concerns none of
them pays for the look-up of a key.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from fakekube import escalation, rbac, status, store, webhook
from fakekube.admission import conditions, hooks, patching, review
from fakekube.admission.hooks import Hook
from fakekube.admission.review import Attributes
from fakekube.call import Call
from fakekube.patch.json_patch import json_patch
from fakekube.registry import Registry
from fakekube.resource import Resource

Json = Any
Object = dict[str, Any]


@dataclass(frozen=True)
class Invocation:
    """A webhook that is asked, in the version of a resource."""

    hook: Hook
    resource: Resource


@dataclass
class _Round:
    """What a mutating round remembers for the second one."""

    invoked: set[Hook] = field(default_factory=set)
    """Those that want to be asked again, and have been since the last change."""
    again: set[Hook] = field(default_factory=set)
    is_changed: bool = False


class _Failed(Exception):
    """A webhook could not be asked; its failure policy decides."""


class Admission:
    """The gate of a registry: webhooks, and the rule that nobody grants more than he has."""

    def __init__(
        self,
        registry: Registry,
        authorizer: rbac.Authorizer,
        *,
        services: webhook.Services | None = None,
        caller: webhook.Caller | None = None,
    ) -> None:
        self._registry = registry
        self._authorizer = authorizer
        self._services = services or webhook.Services()
        self.caller = caller or webhook.Caller()
        self._hooks: dict[str, list[Hook]] = {}
        self._matched: dict[Any, list[Invocation]] = {}
        self._revision = -1
        self._read()
        registry.store.listeners.append(self._notice)

    def _notice(self, table: str, _: store.Event) -> None:
        if table in self._hooks:
            self._read()

    def _read(self) -> None:
        """Read all configurations: those of a table in the order of their names."""
        self._matched.clear()
        for table in (hooks.MUTATING, hooks.VALIDATING):
            self._hooks[table] = [
                hooks.parse(raw)
                for configuration in self._registry.store.objects(table)
                for raw in configuration.get("webhooks") or ()
            ]

    def _matching(self, table: str, call: Call, operation: str) -> list[Invocation]:
        known = self._hooks[table]
        resource, subresource = call.resource, call.info.subresource
        if not known or (resource.group == hooks.GROUP and resource.plural in hooks.EXEMPT):
            return []
        if self._revision != self._registry.catalog.revision:
            self._revision = self._registry.catalog.revision
            self._matched.clear()
        key = (table, resource, subresource, operation)
        found = self._matched.get(key)
        if found is None:
            others = [
                each
                for each in self._registry.catalog.of_group(resource.group, resource.plural)
                if each is not resource
            ]
            matches = (
                (hook, hook.match(operation, resource, subresource, others)) for hook in known
            )
            found = [Invocation(hook, match) for hook, match in matches if match is not None]
            self._matched[key] = found
        return found

    def is_idle(self, call: Call, operation: str) -> bool:
        """Tell whether nobody is to be asked about a write."""
        resource = call.resource
        if resource.group == rbac.GROUP and operation != "DELETE":
            return False
        return not (
            self._matching(hooks.MUTATING, call, operation)
            or self._matching(hooks.VALIDATING, call, operation)
        )

    async def mutate(
        self,
        call: Call,
        operation: str,
        new: Object,
        old: Object | None,
        options: Object | None = None,
    ) -> Object:
        """Return the object as the mutating webhooks leave it."""
        invocations = self._matching(hooks.MUTATING, call, operation)
        if invocations:
            asked = review.attributes(call, operation, new, old, options)
            state = _Round()
            await self._mutate_round(invocations, asked, state, is_second=False)
            if state.is_changed:
                await self._mutate_round(invocations, asked, state, is_second=True)
            await self._as_version(asked, call.resource)
            new = asked.new or {}
        if call.resource.group == rbac.GROUP and operation != "DELETE":
            escalation.check(self._authorizer, call, new, old)
        return new

    async def _mutate_round(
        self, invocations: list[Invocation], asked: Attributes, state: _Round, *, is_second: bool
    ) -> None:
        for invocation in invocations:
            hook = invocation.hook
            if is_second and hook not in state.again:
                continue
            if not await self._concerns(invocation, asked):
                continue
            await self._as_version(asked, invocation.resource)
            try:
                is_changed = await self._change(invocation, asked)
            except _Failed as failure:
                if not hook.ignores_failure:
                    raise _internal(hook, failure) from None
                is_changed = False
            if is_changed:
                state.is_changed = True
                state.again |= state.invoked
                state.invoked.clear()
            if hook.is_reinvoked:
                state.invoked.add(hook)

    async def _change(self, invocation: Invocation, asked: Attributes) -> bool:
        hook = invocation.hook
        response = await self._ask(invocation, asked, is_mutating=True)
        try:
            operations = review.patch_of(response)
        except review.Invalid as problem:
            raise _Failed(str(problem)) from None
        if not operations:
            return False
        if asked.new is None:
            raise status.internal_error(
                f'admission webhook "{hook.name}" attempted to modify the object, '
                "which is not supported for this operation"
            )
        if response["patchType"] != "JSONPatch":
            raise _Failed(f'unsupported patch type "{response["patchType"]}"')
        try:
            changed = json_patch(asked.new, operations)
        except status.ApiError:
            raise status.internal_error(patching.problem(asked.new, operations)) from None
        is_changed: bool = asked.is_fresh or changed != asked.new
        asked.is_fresh = False
        self._default(invocation.resource, asked, changed)
        asked.new = changed
        return is_changed

    def _default(self, resource: Resource, asked: Attributes, obj: Object) -> None:
        if asked.subresource not in {"", "status"}:
            return
        if resource.schema is not None:
            resource.schema.default(obj)
        elif resource.strategy.default is not None:
            resource.strategy.default(obj)

    async def validate(
        self,
        call: Call,
        operation: str,
        new: Object | None,
        old: Object | None,
        options: Object | None = None,
    ) -> None:
        """Raise when a validating webhook refuses; all of them are asked at the same time."""
        invocations = self._matching(hooks.VALIDATING, call, operation)
        if not invocations:
            return
        asked = review.attributes(call, operation, new, old, options)
        questions = []
        for invocation in invocations:
            if await self._concerns(invocation, asked):
                versioned = review.attributes(call, operation, new, old, options)
                await self._as_version(versioned, invocation.resource)
                questions.append(self._approve(invocation, versioned))
        results = await asyncio.gather(*questions, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _approve(self, invocation: Invocation, asked: Attributes) -> None:
        try:
            await self._ask(invocation, asked, is_mutating=False)
        except _Failed as failure:
            if not invocation.hook.ignores_failure:
                raise _internal(invocation.hook, failure) from None

    # One webhook.

    async def _concerns(self, invocation: Invocation, asked: Attributes) -> bool:
        """Tell whether selectors and conditions of a webhook let it be asked."""
        hook = invocation.hook
        missing: status.ApiError | None = None
        try:
            if not self._is_namespace_selected(hook, asked):
                return False
        except status.ApiError as problem:
            missing = problem
        if hook.objects.requirements and not any(
            obj is not None and hook.objects.matches(obj.get("metadata", {}).get("labels"))
            for obj in (asked.new, asked.old)
        ):
            return False
        if missing is not None:
            raise missing
        if not hook.conditions:
            return True
        await self._as_version(asked, invocation.resource)
        values: Json = {
            "object": asked.new,
            "oldObject": asked.old,
            "request": review.request(asked, invocation.resource, ""),
        }
        try:
            return conditions.hold(hook.conditions, values)
        except conditions.Undecided as problem:
            if hook.ignores_failure:
                return False
            resource = asked.call.resource
            raise status.forbidden(
                resource.plural, asked.name, str(problem), resource.group
            ) from None

    def _is_namespace_selected(self, hook: Hook, asked: Attributes) -> bool:
        namespace = asked.namespace
        if not namespace or not hook.namespaces.requirements:
            return True
        resource = asked.call.resource
        if resource.storage_key == "namespaces" and asked.new and not asked.subresource:
            return hook.namespaces.matches(asked.new["metadata"].get("labels"))
        record = self._registry.store.get("namespaces", "", namespace)
        if record is None:
            raise status.not_found("namespaces", namespace)
        return hook.namespaces.matches(record.labels)

    async def _as_version(self, asked: Attributes, resource: Resource) -> None:
        """Convert the objects of a request to the version in which a webhook wants them."""
        if asked.subresource not in {"", "status"}:
            return
        wanted = resource.api_version
        for name in ("new", "old"):
            obj = getattr(asked, name)
            if obj and obj.get("apiVersion", wanted) != wanted:
                setattr(asked, name, await self._converted(resource, obj, wanted))

    async def _converted(self, resource: Resource, obj: Object, wanted: str) -> Object:
        converter = self._registry.converter
        if resource.conversion_webhook is not None and converter is not None:
            found = (await converter(resource, [obj], wanted))[0]
        else:
            found = self._registry.convert(resource, store.clone(obj), wanted)
        if resource.schema is not None:
            resource.schema.default(found)
        return found

    async def _ask(self, invocation: Invocation, asked: Attributes, *, is_mutating: bool) -> Json:
        hook = invocation.hook
        if asked.is_dry and hook.side_effects not in {"None", "NoneOnDryRun"}:
            text = f'admission webhook "{hook.name}" does not support dry run'
            raise status.bad_request(text)
        if "v1" not in hook.versions:
            raise _Failed(
                "could not create admission objects: webhook does not accept known "
                "AdmissionReview versions (v1, v1beta1)"
            )
        uid = self._registry.chance.uid()
        content = review.question(review.request(asked, invocation.resource, uid))
        where = webhook.target(hook.client, self._services, self._registry.store)
        try:
            found = await self.caller.post(where, content, hook.timeout_s)
            response = review.answer(found, uid, is_mutating=is_mutating)
        except webhook.CallFailed as failure:
            raise _Failed(f"failed to call webhook: {failure}") from None
        except review.Invalid as problem:
            raise _Failed(f"received invalid webhook response: {problem}") from None
        for text in response.get("warnings") or ():
            if text not in asked.call.warnings:
                asked.call.warnings.append(text)
        if not response.get("allowed"):
            raise review.rejection(hook, response)
        return response


def _internal(hook: Hook, failure: _Failed) -> status.ApiError:
    text = str(failure)
    return status.internal_error(f'failed calling webhook "{hook.name}": {text}')
