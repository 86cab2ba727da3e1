"""Credentials: an access key, its secret, a region and an endpoint; and the places they come from.

Only access keys are taken, as by the Go provider: most actions refuse a login and a password.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import pathlib
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from provider.osc.errors import OscError

FILE = "~/.osc/config.json"
"""Where the vendor's tools keep their profiles."""
PROFILE = "default"
PATH = "/api/v1"


class CredentialsError(OscError):
    """Say which credentials are missing or of no use, and where they were looked for."""


@dataclasses.dataclass(frozen=True)
class Credentials:
    """One access key and where it is used; never printed whole."""

    access_key: str
    secret_key: str
    region: str
    endpoint: str
    """The address of the API, for example ``https://api.eu-west-2.outscale.com/api/v1``."""
    source: str = dataclasses.field(default="", compare=False)
    """Where they come from, in words for a user."""

    def __repr__(self) -> str:
        return (
            f"Credentials({self.access_key[:4]}..., region={self.region}, "
            f"endpoint={self.endpoint}, source={self.source})"
        )


def of_environment(environ: Mapping[str, str]) -> Credentials:
    """Take the credentials of the manager itself.

    These are the ``OSC_*`` variables if one of the two keys is set, and otherwise the profile that
    ``OSC_CONFIG_FILE`` and ``OSC_PROFILE`` name, as for the vendor's tools. Raise
    ``CredentialsError``.
    """
    names = {
        "access_key": "OSC_ACCESS_KEY",
        "secret_key": "OSC_SECRET_KEY",
        "region": "OSC_REGION",
        "endpoint": "OSC_ENDPOINT_API",
        "protocol": "OSC_PROTOCOL",
    }
    facts = {key: environ.get(name, "") for key, name in names.items()}
    if facts["access_key"] or facts["secret_key"]:
        return _made(facts, names, "the environment")
    path = environ.get("OSC_CONFIG_FILE", "")
    profile = environ.get("OSC_PROFILE", "")
    if path or profile or pathlib.Path(FILE).expanduser().exists():
        return of_file(path or FILE, profile or PROFILE)
    raise CredentialsError(
        f"The manager has no credentials: OSC_ACCESS_KEY is not set, and {FILE} does not exist. "
        "Set OSC_ACCESS_KEY, OSC_SECRET_KEY and OSC_REGION, or give the cluster credentials of its "
        "own in spec.credentials."
    )


def of_file(path: str, profile: str = "") -> Credentials:
    """Take a profile of a file in the format of the vendor's tools; raise ``CredentialsError``."""
    profile = profile or PROFILE
    try:
        text = pathlib.Path(path).expanduser().read_text(encoding="utf-8")
        profiles = json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CredentialsError(
            f"The profile file {path} cannot be read: {what}. Mount it into the manager."
        ) from None
    except json.JSONDecodeError as error:
        raise CredentialsError(
            f"The profile file {path} is not JSON: {error.msg} in line {error.lineno}. Correct it."
        ) from None
    facts = profiles.get(profile) if isinstance(profiles, dict) else None
    if not isinstance(facts, dict):
        known = ", ".join(sorted(profiles)) if isinstance(profiles, dict) else ""
        raise CredentialsError(
            f"The profile file {path} has no profile '{profile}', but {known or 'none at all'}. "
            "Add it, or name another one."
        )
    endpoints = facts.get("endpoints")
    return _made(
        {
            "access_key": facts.get("access_key"),
            "secret_key": facts.get("secret_key"),
            # Older tools write region_name.
            "region": facts.get("region") or facts.get("region_name"),
            "endpoint": endpoints.get("api") if isinstance(endpoints, dict) else "",
            "protocol": facts.get("protocol"),
        },
        {},
        f"the profile '{profile}' of {path}",
    )


def of_secret(secret: Mapping[str, Any]) -> Credentials:
    """Take the data of a Kubernetes Secret object; raise ``CredentialsError``.

    Keys: ``access_key``, ``secret_key``, ``region`` and, optionally, ``endpoint`` and ``protocol``.
    """
    about = secret.get("metadata") or {}
    where = f"the Secret {about.get('namespace', '')}/{about.get('name', '')}"
    facts = {}
    for key in ("access_key", "secret_key", "region", "endpoint", "protocol"):
        coded = (secret.get("data") or {}).get(key) or ""
        try:
            facts[key] = base64.b64decode(coded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise CredentialsError(
                f"data.{key} of {where} is not text in base64. Write it with stringData, or with "
                "kubectl create secret generic --from-literal."
            ) from None
    return _made(facts, {}, where)


def _made(facts: Mapping[str, Any], names: Mapping[str, str], source: str) -> Credentials:
    """Check and complete what a place has; ``names`` are its own words for our keys."""
    # A newline at the end is what an editor or echo leaves behind.
    given = {key: str(value or "").strip() for key, value in facts.items()}
    needed = ("access_key", "secret_key", "region")
    missing = [names.get(key, key) for key in needed if not given[key]]
    if missing:
        there = [names.get(key, key) for key in needed if given[key]]
        raise CredentialsError(
            f"{source[0].upper()}{source[1:]} lacks {', '.join(missing)} "
            f"(it has {', '.join(there) or 'none of what is needed'}). Add what is missing."
        )
    if not re.fullmatch(r"[!-~]+", given["access_key"]):
        raise CredentialsError(
            f"The access key of {source} has characters that no access key has, such as a space "
            "or a line break. Write it again."
        )
    return Credentials(
        given["access_key"],
        given["secret_key"],
        given["region"],
        _endpoint(given["endpoint"], given["protocol"] or "https", given["region"], source),
        source,
    )


def _endpoint(given: str, protocol: str, region: str, source: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", region):
        # What stands there may be a secret in the wrong place.
        raise CredentialsError(
            f"The region of {source} has characters that no region has. Write one like eu-west-2."
        )
    address = given or f"api.{region}.outscale.com"
    address = address if "://" in address else f"{protocol}://{address}"
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in {"https", "http"} or not re.fullmatch(r"[^\s@]+", parts.netloc):
        shown = address.rpartition("@")[2]  # Before an @ there may be a password.
        raise CredentialsError(
            f"The endpoint of {source} is '{shown}', but must look like "
            f"https://api.{region}.outscale.com{PATH}. Correct the endpoint or the protocol."
        )
    # Some tools add the path themselves, and their users configure the host alone.
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or PATH}"
