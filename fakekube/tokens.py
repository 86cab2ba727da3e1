"""Tokens of service accounts: JSON Web Tokens, signed with a key that the server makes.

A token holds as long as its time has not passed, and its account (and what else it is bound to)
is there with the same uid. The public key is served, so that others can verify tokens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fakekube import clock, status, store
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

ISSUER = "https://kubernetes.default.svc"
DEFAULT_S, MIN_S, MAX_S = 3600, 600, 2**32
LEEWAY_S = 60
"""Clocks differ, so a token holds a little longer than it says."""
BINDABLE = {"Pod": "pods", "Node": "nodes", "Secret": "secrets"}
REMEMBERED = 1024
# A signature is two numbers of 32 bytes each.
HALF = 32


class Refused(Exception):
    """A token proves nothing; the text is that of a ``TokenReview``."""


@dataclass(frozen=True)
class Account:
    """The service account of a token."""

    namespace: str
    name: str
    uid: str
    token_id: str
    audiences: list[str]
    bound: Mapping[str, str] = field(default_factory=dict)
    """Name and uid of pod and node, as they stand in the extra of the user."""


class Issuer:
    """Issue and check tokens."""

    def __init__(
        self,
        objects: store.Store,
        time: clock.Clock,
        chance: clock.Chance,
        *,
        issuer: str = ISSUER,
        audiences: Iterable[str] = (),
    ) -> None:
        self._store = objects
        self._clock = time
        self._chance = chance
        self.issuer = issuer
        self.audiences = list(audiences) or [issuer]
        self._private: Any = None
        self._number = ""
        self._verified: dict[str, Json] = {}

    def key(self) -> Any:
        """Return the private key; it is made when it is first needed, because that takes time."""
        if self._private is None:
            from cryptography.hazmat.primitives.asymmetric import ec

            seed = (self._chance.uid() + self._chance.uid()).encode()
            secret = int.from_bytes(hashlib.sha256(seed).digest())
            # The order of the curve is a little less than 2**256.
            self._private = ec.derive_private_key(max(secret >> 1, 1), ec.SECP256R1())
            public = self._private.public_key().public_numbers()
            point = public.x.to_bytes(HALF) + public.y.to_bytes(HALF)
            self._number = _text(hashlib.sha256(point).digest())
        return self._private

    def jwks(self) -> Json:
        """Return the public key as ``/openid/v1/jwks`` shows it."""
        public = self.key().public_key().public_numbers()
        found = {"use": "sig", "kty": "EC", "kid": self._number, "crv": "P-256", "alg": "ES256"}
        point = {"x": _text(public.x.to_bytes(HALF)), "y": _text(public.y.to_bytes(HALF))}
        return {"keys": [found | point]}

    def discovery(self, address: str) -> Json:
        """Return what ``/.well-known/openid-configuration`` shows."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"https://{address}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def sign(self, claims: Json) -> str:
        """Return claims as a token."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        key = self.key()
        head = {"alg": "ES256", "kid": self._number}
        content = f"{_text(msgspec.json.encode(head))}.{_text(msgspec.json.encode(claims))}"
        signature = key.sign(content.encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(signature)
        return f"{content}.{_text(r.to_bytes(HALF) + s.to_bytes(HALF))}"

    def _claims(self, token: str) -> Json:
        found = self._verified.get(token)
        if found is not None:
            return found
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        try:
            content, _, signed = token.rpartition(".")
            raw = _bytes(signed)
            r, s = int.from_bytes(raw[:HALF]), int.from_bytes(raw[HALF:])
            signature = utils.encode_dss_signature(r, s)
            method = ec.ECDSA(hashes.SHA256())
            self.key().public_key().verify(signature, content.encode(), method)
            claims = msgspec.json.decode(_bytes(content.split(".")[1]))
        except (ValueError, IndexError, InvalidSignature, binascii.Error):
            raise Refused("invalid bearer token") from None
        if claims["iss"] != self.issuer:
            raise Refused("invalid bearer token")
        if len(self._verified) >= REMEMBERED:
            self._verified.clear()
        self._verified[token] = claims
        return claims

    def check(self, token: str, audiences: list[str]) -> Account:
        """Return the account of a token that holds now, for at least one of the audiences."""
        if token.count(".") != 2:
            raise Refused("invalid bearer token")
        claims = self._claims(token)
        fitting = [each for each in audiences if each in claims["aud"]]
        if not fitting:
            mine, theirs = _listed(claims["aud"]), _listed(audiences)
            text = f"token audiences {mine} is invalid for the target audiences {theirs}"
            raise Refused(f"[invalid bearer token, {text}]")
        now = self._clock.now()
        if now > claims["exp"] + LEEWAY_S:
            raise Refused("[invalid bearer token, service account token has expired]")
        if now < claims["nbf"] - LEEWAY_S:
            raise Refused("[invalid bearer token, service account token is not valid yet]")
        about = claims["kubernetes.io"]
        account = about["serviceaccount"]
        found = self._store.get("serviceaccounts", about["namespace"], account["name"])
        if found is None:
            text = f'serviceaccounts "{account["name"]}" not found'
            raise Refused(f"[invalid bearer token, {text}]")
        if found.uid != account["uid"]:
            text = f"service account UID ({found.uid}) does not match claim ({account['uid']})"
            raise Refused(f"[invalid bearer token, {text}]")
        bound = self._bound(about)
        return Account(
            about["namespace"], account["name"], account["uid"], claims["jti"], fitting, bound
        )

    def _bound(self, about: Json) -> dict[str, str]:
        found = {}
        for kind, table in BINDABLE.items():
            reference = about.get(kind.lower())
            if reference is None:
                continue
            namespace = "" if kind == "Node" else about["namespace"]
            record = self._store.get(table, namespace, reference["name"])
            # The node of a pod is told, but the token outlives it.
            is_told_only = kind == "Node" and "pod" in about
            if not is_told_only and (record is None or record.uid != reference["uid"]):
                text = "service account token has been invalidated"
                raise Refused(f"[invalid bearer token, {text}]")
            if kind != "Secret":
                found[f"{kind.lower()}-name"] = reference["name"]
                if reference.get("uid"):
                    found[f"{kind.lower()}-uid"] = reference["uid"]
        return found

    def issue(self, namespace: str, name: str, request: Object) -> Object:
        """Answer a ``TokenRequest`` for an account."""
        meta = request.setdefault("metadata", {})
        for key, value in (("name", name), ("namespace", namespace)):
            if meta.get(key) and meta[key] != value:
                text = f"must match the service account {key} if specified"
                cause = status.field_invalid(f"metadata.{key}", meta[key], text)
                raise status.invalid("TokenRequest", "authentication.k8s.io", name, [cause])
        account = self._store.get("serviceaccounts", namespace, name)
        if account is None:
            raise status.not_found("serviceaccounts", name)
        if meta.get("uid") and meta["uid"] != account.uid:
            text = (
                f"the UID in the token request ({meta['uid']}) does not match the UID of the "
                f"service account ({account.uid})"
            )
            raise status.conflict("TokenRequest", name, text, "authentication.k8s.io")
        spec = request.get("spec") or {}
        wanted: Json = {"audiences": spec.get("audiences") or list(self.audiences)}
        seconds = spec.get("expirationSeconds")
        seconds = wanted["expirationSeconds"] = DEFAULT_S if seconds is None else seconds
        wanted["boundObjectRef"] = spec.get("boundObjectRef")
        causes = _seconds_causes(seconds)
        if causes:
            raise status.invalid("TokenRequest", "authentication.k8s.io", "", causes)
        now = self._clock.now()
        about: Json = {"namespace": namespace}
        if wanted["boundObjectRef"]:
            about |= self._bind(namespace, name, wanted["boundObjectRef"])
        about["serviceaccount"] = {"name": name, "uid": account.uid}
        claims = {
            "aud": wanted["audiences"],
            "exp": int(now) + seconds,
            "iat": int(now),
            "iss": self.issuer,
            "jti": self._chance.uid(),
            "kubernetes.io": about,
            "nbf": int(now),
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        meta = {**meta, "name": name, "namespace": namespace, "uid": account.uid}
        meta["creationTimestamp"] = clock.stamp(now)
        end = {"expirationTimestamp": clock.stamp(now + seconds)}
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": meta,
            "spec": wanted,
            "status": {"token": self.sign(claims), **end},
        }

    def _bind(self, namespace: str, account: str, reference: Json) -> Json:
        kind, name = reference.get("kind", ""), reference.get("name", "")
        version = reference.get("apiVersion", "")
        if kind not in BINDABLE or "/" in version:
            group = version if "/" in version else f"/{version}"
            text = f"cannot bind token to object of type {group}, Kind={kind}"
            raise status.bad_request(text)
        place = "" if kind == "Node" else namespace
        record = self._store.get(BINDABLE[kind], place, name)
        if record is None:
            raise status.not_found(BINDABLE[kind], name)
        found: Json = {kind.lower(): {"name": name, "uid": record.uid}}
        if kind == "Pod":
            spec = record.obj.get("spec") or {}
            if spec.get("serviceAccountName") != account:
                raise status.bad_request(
                    f'cannot bind token for serviceaccount "{account}" to pod running with '
                    "different serviceaccount name."
                )
            if spec.get("nodeName"):
                node = self._store.get("nodes", "", spec["nodeName"])
                told = {"name": spec["nodeName"], "uid": node.uid if node else ""}
                found["node"] = {key: value for key, value in told.items() if value}
        if reference.get("uid") and reference["uid"] != record.uid:
            text = (
                f"the UID in the bound object reference ({reference['uid']}) does not match the "
                "UID in record. The object might have been deleted and then recreated"
            )
            raise status.conflict(kind, name, text)
        return found


def _seconds_causes(seconds: int) -> list[Cause]:
    where = "spec.expirationSeconds"
    if seconds < MIN_S:
        text = "may not specify a duration less than 10 minutes"
        return [status.field_invalid(where, seconds, text)]
    if seconds > MAX_S:
        text = "may not specify a duration larger than 2^32 seconds"
        return [status.field_invalid(where, seconds, text)]
    return []


def _listed(texts: list[str]) -> str:
    return "[" + " ".join(f'"{each}"' for each in texts) + "]"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
