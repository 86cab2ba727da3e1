"""The guard at the HTTP doors: it finds out who asks, and whether they may.

Every door shows a request to :meth:`Guard.admit` before the cloud carries it out. How strict the
guard is depends on its mode:

- ``none``: everybody passes, as the account of the access key or login when it is known, else as
  the cloud's own account;
- ``known-key``: the access key must exist and be usable; its signature is not computed;
- ``verify``: the signature or the password is verified.

Two clocks are asked. What a client does with its own clock is compared with real time
(``cloud.clock.wall``): the age of a signature and the length of a lock-out, because a client signs
and waits in real time, and under a frozen clock a lock-out would never end. What is a fact of the
simulated cloud is compared with its virtual time: the expiration of an access key.

https://docs.outscale.com/en/userguide/Signature-of-API-Requests.html
"""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import ipaddress
import math
import re
from dataclasses import dataclass

from fakecloud import errors, signature
from fakecloud.cloud import Caller, FakeCloud
from fakecloud.document import ActionSpec
from fakecloud.rows import Row
from fakecloud.rules import policies
from fakecloud.signature import Request
from fakecloud.store import Store

MODES = ("none", "known-key", "verify")

STRIKES = 4
"""After so many failed authentications in a row, an access key or a login is locked."""

LOCK_S = 60.0
"""How long the first lock is; each further :data:`STRIKES` failures make it as much longer."""

LOCKS_MAX = 10
"""The longest lock, in units of :data:`LOCK_S`."""


@dataclass(slots=True)
class Strikes:
    """The failed authentications in a row of one access key or login."""

    count: int = 0
    until: float = 0.0


class Guard:
    """Decide about the HTTP requests to one cloud."""

    def __init__(self, cloud: FakeCloud, mode: str) -> None:
        if mode not in MODES:
            raise ValueError(f"The auth mode is '{mode}'. Use one of {', '.join(MODES)}.")
        self.cloud = cloud
        self.mode = mode

    @property
    def _strikes(self) -> dict[str, Strikes]:
        return self.cloud.strikes  # Looked up each time: a reset of the cloud makes a new one.

    def admit(self, request: Request, action: ActionSpec, caller: Caller) -> None:
        """Find out who sends a request for an action, and write it into ``caller``.

        Its region says where, and its source (an IP, when it is known) from where. Raise 1
        without authentication or with a wrong one, 12 for an unknown type of it, 9 for a login
        where an access key is needed, 4120 for an unknown access key or a wrong login, 13 while
        locked, 14 when no API access rule fits, and 5 when the policies of an EIM user do not
        allow the action.
        """
        store = self.cloud.store(caller.region)
        given = request.headers.get("authorization", "")
        if self.mode == "none" or not action.needs_key:
            self._believe(store, given, caller)
        elif action.allows_login and given[:6].lower() == "basic ":
            self._login(store, given, caller)
            self._check_rules(store, caller)
        else:
            self._identify(store, request, caller, f"api:{action.name}")

    def identify(self, request: Request, caller: Caller, action: str = "") -> None:
        """Find out who sends a request to another API of the region than the OUTSCALE API.

        ``action`` is its name in EIM policies (``elasticloadbalancing:DescribeLoadBalancers``);
        without it, policies are not asked. Raise as :meth:`admit` does.
        """
        store = self.cloud.store(caller.region)
        if self.mode == "none":
            self._believe(store, request.headers.get("authorization", ""), caller)
        else:
            self._identify(store, request, caller, action)

    # Who is it?

    def _believe(self, store: Store, given: str, caller: Caller) -> None:
        found = signature.CREDENTIAL.search(given)
        if found is not None:
            caller.access_key = found[1]
            row = store.row("AccessKey", found[1])
            if row is not None:
                caller.account, caller.user = row.account, row.get("_UserName", "")
        elif given[:6].lower() == "basic ":
            account = self._account(store, _basic(given)[0])
            if account is not None:
                caller.account = account.account

    def _identify(self, store: Store, request: Request, caller: Caller, action: str) -> None:
        given = request.headers.get("authorization", "")
        scheme = given.partition(" ")[0]
        if not scheme:
            raise errors.refusal(1)
        if scheme.lower() == "basic":
            raise errors.refusal(9)
        if scheme not in signature.ALGORITHMS:
            raise errors.refusal(12)
        found = signature.AUTHORIZATION.fullmatch(given)
        if found is None:
            raise errors.refusal(1)
        row = store.row("AccessKey", found["key"])
        if row is None:
            raise errors.refusal(4120, key=found["key"])
        self._check_usable(row)
        if self.mode == "verify":
            self._verify(request, found, row)
        caller.account, caller.user = row.account, row.get("_UserName", "")
        caller.access_key = row.id
        self._check_rules(store, caller)
        if caller.user and action:
            self._check_policies(store, caller, action)

    def _verify(self, request: Request, found: re.Match[str], row: Row) -> None:
        if self._strikes:
            self._check_lock(row.id)
        if not signature.verifies(request, found, row["_SecretKey"], self.cloud.clock.wall()):
            raise self._strike(row.id, errors.refusal(1))
        if self._strikes:
            self._strikes.pop(row.id, None)

    def _check_usable(self, row: Row) -> None:
        expires = row.get("_Expires")
        if row["State"] != "ACTIVE" or (expires is not None and expires <= self.cloud.clock.now()):
            raise errors.refusal(1)

    def _login(self, store: Store, given: str, caller: Caller) -> None:
        login, password = _basic(given)
        account = self._account(store, login)
        if account is None:
            raise errors.refusal(4120, "The login or the password is wrong.")
        if self.mode == "verify":
            self._check_lock(login)
            expected: str = account["_Password"]
            if not hmac.compare_digest(password.encode(), expected.encode()):
                refusal = errors.refusal(4120, "The login or the password is wrong.")
                raise self._strike(login, refusal)
            self._strikes.pop(login, None)
        caller.account = account.account

    def _account(self, store: Store, login: str) -> Row | None:
        with self.cloud.lock:
            return next(iter(store.rows("Account", "Email", login)), None)

    # Too many failures.

    def _check_lock(self, who: str) -> None:
        strikes = self._strikes.get(who)
        if strikes is not None:
            left = strikes.until - self.cloud.clock.wall()
            if left > 0:
                raise errors.refusal(13, seconds=math.ceil(left))

    def _strike(self, who: str, refusal: errors.ApiError) -> errors.ApiError:
        with self.cloud.lock:
            strikes = self._strikes.setdefault(who, Strikes())
            strikes.count += 1
            if strikes.count % STRIKES == 0:
                locks = min(strikes.count // STRIKES, LOCKS_MAX)
                strikes.until = self.cloud.clock.wall() + locks * LOCK_S
        return refusal

    # May they?

    def _check_rules(self, store: Store, caller: Caller) -> None:
        """Raise 14 when the account has API access rules and the request meets none of them.

        Without any rule everything passes: an account of a region without a default rule would
        otherwise be shut for good. A rule with CAs asks for a client certificate, which no door
        takes, so that it is met only while the API access policy has a trusted session. A source
        that is unknown or this very machine passes always: it is the test's own.
        """
        if not caller.source or _is_loopback(caller.source):
            return
        with self.cloud.lock:
            rules = store.rows("ApiAccessRule", "live", caller.account)
            policy = store.row("ApiAccessPolicy", caller.account)
            trusted = policy is not None and policy["RequireTrustedEnv"]
            for rule in rules:
                if rule["CaIds"] and not trusted:
                    continue
                if not rule["IpRanges"] or contains(tuple(rule["IpRanges"]), caller.source):
                    return
        if rules:
            raise errors.refusal(14)

    def _check_policies(self, store: Store, caller: Caller, action: str) -> None:
        with self.cloud.lock:
            allowed = policies.allows(store, caller.account, caller.user, action)
        if not allowed:
            raise errors.refusal(
                5, f"No EIM policy allows the user '{caller.user}' to call {action}."
            )


# Logins and sources.


def _basic(given: str) -> tuple[str, str]:
    """Return the login and password of an Authorization header, or two empty texts."""
    try:
        text = base64.b64decode(given.partition(" ")[2].strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    login, _, password = text.partition(":")
    return login, password


@functools.lru_cache(maxsize=1024)
def _is_loopback(source: str) -> bool:
    """Tell whether a source is this machine, or no IP at all."""
    try:
        return ipaddress.ip_address(source).is_loopback
    except ValueError:
        return True


@functools.lru_cache(maxsize=4096)
def contains(ranges: tuple[str, ...], source: str) -> bool:
    """Tell whether an IP lies in one of the ranges of an API access rule."""
    address = ipaddress.ip_address(source)
    return any(address in ipaddress.ip_network(each, strict=False) for each in ranges)
