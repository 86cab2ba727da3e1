"""Who asks: client certificates, static tokens, tokens of service accounts, impersonation.

A client certificate comes from the TLS layer, which has verified it. Its common name is the user,
its organisations are the groups. What proves nothing makes the request anonymous; a bearer token
that nobody knows is refused.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib import parse

from fakekube import paths, status, tokens

ANONYMOUS = "system:anonymous"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
MASTERS = "system:masters"
SERVICE_ACCOUNT = "system:serviceaccount:"
CREDENTIAL = "authentication.kubernetes.io/credential-id"

Extra = Mapping[str, tuple[str, ...]]
Headers = Mapping[str, str]
SEPARATOR = "\0"
"""Stands between the values of a header that is repeated; no value can hold it."""


class User:
    """Somebody who asks; ``key`` is what permissions depend on."""

    __slots__ = ("extra", "groups", "key", "name", "uid")

    def __init__(
        self, name: str, groups: Iterable[str] = (), uid: str = "", extra: Extra | None = None
    ) -> None:
        self.name = name
        self.groups = tuple(groups)
        self.uid = uid
        self.extra: Extra = extra or {}
        self.key = (name, self.groups)

    def __repr__(self) -> str:
        return f"User({self.name!r}, {self.groups!r})"

    def json(self) -> dict[str, object]:
        """Return the user as ``authentication.v1.UserInfo``."""
        found: dict[str, object] = {"username": self.name} if self.name else {}
        if self.uid:
            found["uid"] = self.uid
        if self.groups:
            found["groups"] = list(self.groups)
        if self.extra:
            found["extra"] = {key: list(self.extra[key]) for key in sorted(self.extra)}
        return found


NOBODY = User(ANONYMOUS, [UNAUTHENTICATED])


def known(name: str, groups: Iterable[str] = (), uid: str = "", extra: Extra | None = None) -> User:
    """Return a user whose identity is proven, and who therefore is in one group more."""
    found = list(groups)
    if AUTHENTICATED not in found:
        found.append(AUTHENTICATED)
    return User(name, found, uid, extra)


def service_account_groups(namespace: str) -> list[str]:
    """Return the groups of all service accounts of a namespace."""
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]


def split_service_account(name: str) -> tuple[str, str] | None:
    """Return namespace and name of a service account from its user name; None for other users."""
    if not name.startswith(SERVICE_ACCOUNT):
        return None
    namespace, _, account = name.removeprefix(SERVICE_ACCOUNT).partition(":")
    return (namespace, account) if namespace and account and ":" not in account else None


@functools.lru_cache(maxsize=1024)
def of_certificate(certificate: bytes) -> User | None:
    """Return the user of a client certificate in DER; None when it names nobody."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    subject = x509.load_der_x509_certificate(certificate).subject

    def named(identifier: x509.ObjectIdentifier) -> list[str]:
        return [str(each.value) for each in subject.get_attributes_for_oid(identifier)]

    names = named(NameOID.COMMON_NAME)
    if not names or not names[-1]:
        return None
    digest = hashlib.sha256(certificate).hexdigest()
    extra = {CREDENTIAL: (f"X509SHA256={digest}",)}
    return known(names[-1], named(NameOID.ORGANIZATION_NAME), extra=extra)


class Authenticator:
    """Tell who asks."""

    def __init__(
        self,
        accounts: tokens.Issuer,
        static: Mapping[str, User] | None = None,
        *,
        allows_anonymous: bool = True,
    ) -> None:
        self.accounts = accounts
        self.static = dict(static or {})
        self.allows_anonymous = allows_anonymous

    def authenticate(self, headers: Headers, certificate: bytes | None) -> User:
        """Return the user of a request; refuse a token that nobody knows."""
        if certificate:
            user = of_certificate(certificate)
            if user is not None:
                return user
        authorization = headers.get("authorization")
        if authorization:
            scheme, _, token = authorization.partition(SEPARATOR)[0].strip().partition(" ")
            if scheme.lower() == "bearer" and token:
                try:
                    return self.of_token(token)[0]
                except tokens.Refused:
                    raise status.unauthorized() from None
        if not self.allows_anonymous:
            raise status.unauthorized()
        return NOBODY

    def of_token(
        self, token: str, audiences: Iterable[str] | None = None
    ) -> tuple[User, list[str]]:
        """Return the user of a token, and for which of the audiences it is meant."""
        wanted = list(audiences or self.accounts.audiences)
        user = self.static.get(token)
        if user is not None:
            return user, [each for each in wanted if each in self.accounts.audiences]
        account = self.accounts.check(token, wanted)
        extra: dict[str, tuple[str, ...]] = {CREDENTIAL: (f"JTI={account.token_id}",)}
        for key, value in account.bound.items():
            extra[f"authentication.kubernetes.io/{key}"] = (value,)
        name = f"{SERVICE_ACCOUNT}{account.namespace}:{account.name}"
        groups = service_account_groups(account.namespace)
        return known(name, groups, account.uid, extra), account.audiences


def parse_static(lines: Iterable[str]) -> dict[str, User]:
    """Read static tokens: lines of token, user, uid and the groups in quotes."""
    import csv

    found = {}
    for row in csv.reader(line for line in lines if line.strip()):
        if len(row) < 3:
            shown = ",".join(["<token>", *row[1:]])
            raise ValueError(
                f"A line of the token file is {shown!r}. Write token,user,uid or "
                'token,user,uid,"group1,group2".'
            )
        token, name, uid = (cell.strip() for cell in row[:3])
        groups = [each.strip() for each in row[3].split(",")] if len(row) > 3 and row[3] else []
        found[token] = known(name, groups, uid)
    return found


class PlainRefusal(status.ApiError):
    """A refusal that the real server writes as text, not as a Status."""


Allow = Callable[[User, paths.RequestInfo], tuple[bool, str]]
Forbid = Callable[[User, paths.RequestInfo, str], status.ApiError]


def impersonated(user: User, headers: Headers, target: str, allow: Allow, forbid: Forbid) -> User:
    """Return as whom a request acts: the user, or the one whom the user may impersonate.

    Every part of the new identity is authorised on its own.
    """
    if not [key for key in headers if key.startswith("impersonate-")]:
        return user
    wanted = list(_impersonations(headers, target))
    for info in wanted:
        allowed, reason = allow(user, info)
        if not allowed:
            raise forbid(user, info, reason)
    return _as(wanted)


def _as(wanted: Iterable[paths.RequestInfo]) -> User:
    """Return the user whom all parts make."""
    name, uid, groups, extra = "", "", [], dict[str, tuple[str, ...]]()
    for info in wanted:
        if info.resource == "users":
            name = info.name
        elif info.resource == "serviceaccounts":
            name = f"{SERVICE_ACCOUNT}{info.namespace}:{info.name}"
        elif info.resource == "groups":
            groups.append(info.name)
        elif info.resource == "uids":
            uid = info.name
        else:
            extra[info.subresource] = (*extra.get(info.subresource, ()), info.name)
    account = split_service_account(name)
    if not groups and account:
        groups = service_account_groups(account[0])
    own = UNAUTHENTICATED if name == ANONYMOUS else AUTHENTICATED
    if own not in groups and not (own == AUTHENTICATED and UNAUTHENTICATED in groups):
        groups.append(own)
    return User(name, groups, uid, extra)


def _impersonations(headers: Headers, target: str) -> Iterator[paths.RequestInfo]:
    found = {key: value for key, value in headers.items() if key.startswith("impersonate-")}
    name = found.pop("impersonate-user", "").partition(SEPARATOR)[0]
    groups = [each for each in found.pop("impersonate-group", "").split(SEPARATOR) if each]
    uid = found.pop("impersonate-uid", "").partition(SEPARATOR)[0]
    prefix = "impersonate-extra-"
    extras = [
        (parse.unquote(key.removeprefix(prefix)), each)
        for key, value in sorted(found.items())
        if key.startswith(prefix)
        for each in value.split(SEPARATOR)
    ]
    if not name:
        if groups or uid or extras:
            shown = [f"{{Group  {each}    }}" for each in groups]
            shown += [f"{{UserExtra  {v} authentication.k8s.io/v1   {k}}}" for k, v in extras]
            shown += [f"{{UID  {uid} authentication.k8s.io/v1   }}"] if uid else []
            problem = f"requested [{' '.join(shown)}] without impersonating a user"
            text = f'Internal Server Error: "{target}": {problem}\n'
            raise PlainRefusal(500, "InternalError", text)
        return
    account = split_service_account(name)
    if account:
        yield _impersonation("serviceaccounts", account[1], namespace=account[0])
    else:
        yield _impersonation("users", name)
    for group in groups:
        yield _impersonation("groups", group)
    for key, value in extras:
        yield _impersonation("userextras", value, "authentication.k8s.io", subresource=key)
    if uid:
        yield _impersonation("uids", uid, "authentication.k8s.io")


def _impersonation(
    resource: str, name: str, group: str = "", *, namespace: str = "", subresource: str = ""
) -> paths.RequestInfo:
    return paths.RequestInfo(
        "",
        "",
        "impersonate",
        is_resource=True,
        group=group,
        version="v1",
        namespace=namespace,
        resource=resource,
        subresource=subresource,
        name=name,
    )
