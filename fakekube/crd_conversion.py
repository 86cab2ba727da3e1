"""What is wrong with the conversion of a CustomResourceDefinition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fakekube.schema import causes, kinds
from fakekube.status import Cause

Object = dict[str, Any]


def check_choice(field: str, value: str, choices: tuple[str, ...]) -> Iterator[Cause]:
    """Check that a value is one of a few."""
    if not value:
        yield causes.required(field)
    elif value not in choices:
        yield causes.not_supported(field, value, choices)


def check_conversion(conversion: Object) -> Iterator[Cause]:
    """Check how objects get from one version to another."""
    path, strategy = "spec.conversion", conversion.get("strategy") or ""
    yield from check_choice(f"{path}.strategy", strategy, ("None", "Webhook"))
    webhook = conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    if strategy == "Webhook":
        yield from _check_client(config, f"{path}.webhookClientConfig")
        yield from _check_reviews(versions, f"{path}.conversionReviewVersions")
        return
    detail = "should not be set when strategy is not set to Webhook"
    if config is not None:
        yield causes.forbidden(f"{path}.webhookClientConfig", detail)
    if versions:
        yield causes.forbidden(f"{path}.conversionReviewVersions", detail)


def _check_client(config: Object | None, path: str) -> Iterator[Cause]:
    if config is None:
        yield causes.required(path, "required when strategy is set to Webhook")
        return
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield causes.required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from _check_url(url, f"{path}.url")
    else:
        yield from _check_service(service or {}, f"{path}.service")


def _check_url(url: str, field: str) -> Iterator[Cause]:
    form = "; desired format: https://host[/path]"
    scheme, separator, rest = url.partition("://")
    host = re.split(r"[/?#]", rest)[0] if separator else ""
    if scheme != "https" or not separator:
        shown = scheme if separator else ""
        detail = f"'https' is the only allowed URL scheme{form}"
        yield causes.invalid(field, shown, detail)
    if not host:
        yield causes.invalid(field, host, f"host must be specified{form}")
    if "@" in host:
        detail = "user information is not permitted in the URL"
        yield causes.invalid(field, host.rpartition("@")[0], detail)
    if "#" in url:
        fragment = url.partition("#")[2]
        yield causes.invalid(field, fragment, "fragments are not permitted in the URL")
    if "?" in url:
        query = url.partition("?")[2].partition("#")[0]
        yield causes.invalid(field, query, "query parameters are not permitted in the URL")


def _check_service(service: Object, path: str) -> Iterator[Cause]:
    if not service.get("name"):
        yield causes.required(f"{path}.name")
    if not service.get("namespace"):
        yield causes.required(f"{path}.namespace")
    port = service.get("port", 443)
    if not 1 <= port <= 65535:
        detail = "port is not valid: must be between 1 and 65535, inclusive"
        yield causes.invalid(f"{path}.port", port, detail)
    place = service.get("path")
    if place and not place.startswith("/"):
        yield causes.invalid(f"{path}.path", place, "segment[0] may not be empty")


def _check_reviews(versions: list[str], path: str) -> Iterator[Cause]:
    if not versions:
        yield causes.required(path)
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield causes.invalid(f"{path}[{index}]", version, "duplicate version")
            continue
        for text in kinds.label(version):
            yield causes.invalid(f"{path}[{index}]", version, text)
    if not {"v1", "v1beta1"} & set(versions):
        yield causes.invalid(path, versions, "must include at least one of v1, v1beta1")
