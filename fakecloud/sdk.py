"""Ready clients of osc-sdk-python, without their slow start and without their rate limit."""

from __future__ import annotations

import functools
import os
from typing import Any

from osc_sdk_python import Gateway, RateLimiter, outscale_gateway
from osc_sdk_python.credentials import Endpoint, Profile

from fakecloud import document
from fakecloud.adapter import FakeCloudAdapter
from fakecloud.cloud import DEFAULT_ACCESS_KEY, DEFAULT_REGION, DEFAULT_SECRET_KEY, FakeCloud

_TYPES = {"boolean": "bool", "string": "str", "integer": "int", "array": "list"}


@functools.cache
def structure() -> dict[str, dict[str, dict[str, Any]]]:
    """Return what a Gateway reads from the document: the parameters of every action.

    The client parses a megabyte of YAML for it at each construction, for about five seconds.
    """
    book = document.load()
    return {
        name: {
            key: {"type": _TYPES.get(part.get("type", "")), "required": key in spec.required}
            for key, part in book.properties(spec.request).items()
            if key != "DryRun"
        }
        for name, spec in book.actions.items()
    }


def _load_gateway_structure(self: Any, _spec: str) -> None:
    self.gateway_structure = structure()
    self.api_version = document.load().version
    self.endpoint_api_version = "v1"


def _load_errors(self: Any) -> None:
    self.gateway_errors = {
        code: {"Name": name, "Type": type_, "Description": ""}
        for code, (name, type_) in document.known_errors().items()
    }


class QuickGateway(Gateway):  # type: ignore[misc]
    """A Gateway that starts at once; everything else is the client's own code."""

    _load_gateway_structure = _load_gateway_structure
    _load_errors = _load_errors


def _no_profile(_path: str, _profile: str) -> Profile:
    """Stand in for the profile of a file, which would bring real credentials and endpoints."""
    return Profile()


def _no_limit(_limiter: RateLimiter) -> None:
    """Let a request pass at once."""


SHORTCUTS: list[tuple[Any, str, Any]] = [
    (outscale_gateway.BaseAPI, "_load_gateway_structure", _load_gateway_structure),
    (outscale_gateway.BaseAPI, "_load_errors", _load_errors),
    (RateLimiter, "acquire", _no_limit),
    (Profile, "_Profile__from_file", staticmethod(_no_profile)),
]
"""What ``mock_outscale`` puts in place of the client's own methods while it is active."""


def gateway(
    cloud: FakeCloud | None = None,
    *,
    endpoint: str = "",
    account: str = "",
    region: str = "",
    access_key: str = "",
    secret_key: str = "",
    mode: str = "none",
    **options: Any,
) -> Any:
    """Return an osc-sdk-python ``Gateway`` that talks to a cloud, or to a server at ``endpoint``.

    With ``cloud``, requests go through :class:`FakeCloudAdapter` with the key of ``account``;
    with ``endpoint``, the key is the one that the server has by default. Profiles and endpoints
    of the environment are not asked, so that nothing reaches the real cloud. Retries are off and
    the client's five requests per second are lifted, unless ``options`` say otherwise.
    """
    if (cloud is None) == (not endpoint):
        raise ValueError("Give either a cloud or the endpoint of a fakecloud server.")
    if cloud is not None:
        cloud.add_account(account or cloud.account)
        known = cloud.accounts[account or cloud.account]
        access_key, secret_key = access_key or known[0], secret_key or known[1]
        region = region or cloud.region
    else:
        access_key = access_key or os.environ.get("OSC_ACCESS_KEY") or DEFAULT_ACCESS_KEY
        secret_key = secret_key or os.environ.get("OSC_SECRET_KEY") or DEFAULT_SECRET_KEY
    facts: dict[str, Any] = {
        "max_retries": 0,
        "limiter_max_requests": 10**9,
        "access_key": access_key,
        "secret_key": secret_key,
        "region": region or DEFAULT_REGION,
        "protocol": "https",
        **options,
    }
    facts.setdefault("endpoints", _endpoints(endpoint))
    client = QuickGateway(**facts)
    particulars = {*vars(Profile()), "email"} & facts.keys()
    client.call.profile = Profile(**{name: facts[name] for name in particulars})
    if cloud is not None:
        host = f"https://api.{region}.outscale.com"
        client.call.session.mount(host, FakeCloudAdapter(cloud, mode))
    return client


def _endpoints(url: str) -> Endpoint:
    if not url:
        return Endpoint()
    return Endpoint(api=url.rstrip("/") if "/api/" in url else url.rstrip("/") + "/api/v1")
