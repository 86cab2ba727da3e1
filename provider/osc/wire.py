"""The wire: one signed call, sent once, through ``Call`` of osc-sdk-python.

The SDK's ``Gateway`` would parse a megabyte of YAML for seconds. The SDK's limiter does not know
other threads, and its retries do not know that a create must not be sent twice: both are off.
"""

from __future__ import annotations

import base64
import binascii
import io
import urllib.parse
from collections.abc import Iterator
from typing import Any

import requests
import requests.adapters
import urllib3
import urllib3.exceptions
from osc_sdk_python.call import Call
from osc_sdk_python.credentials import Endpoint, Profile

from provider.clock import Clock
from provider.osc.answer import Answer
from provider.osc.credentials import Credentials
from provider.osc.errors import ApiError

CONNECT_S = 5.0
"""How long a connection may take to open."""
ANSWER_S = 60.0
"""How long the API may take to answer; a CreateVms takes several seconds."""
SHOWN = 4
"""How many characters of an access key are told: enough to see which one it is."""
CONNECTIONS = 32
"""How many connections are kept open; more threads than that may call, at a cost."""
_PART = 65536


class Wire(Call):  # type: ignore[misc]
    """The SDK's signed call, with the given credentials and no others, and with timeouts."""

    def __init__(self, credentials: Credentials, agent: str, clock: Clock) -> None:
        self._host = urllib.parse.urlsplit(credentials.endpoint).netloc
        self._access_key = credentials.access_key
        super().__init__(
            user_agent=agent,
            max_retries=0,
            access_key=credentials.access_key,
            secret_key=credentials.secret_key,
            region=credentials.region,
            endpoints=Endpoint(api=credentials.endpoint),
        )
        # A redirected POST arrives as a GET, which is no call of the API.
        self.session.max_redirects = 0
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, _Adapter(clock))

    def update_profile(self, **facts: Any) -> None:
        """Take these credentials only; the SDK would add those of the environment and of files."""
        self.profile = Profile(**facts)

    def send(self, action: str, body: dict[str, Any]) -> Answer:
        """Send one call once; raise ``ApiError`` whatever goes wrong."""
        try:
            said = self.api(action, **body)
        except requests.HTTPError as error:
            raise self._refusal(action, body, error.response) from None
        except requests.RequestException as error:
            raise self._lost(action, error) from None
        except (AttributeError, KeyError, TypeError):
            # The SDK takes for granted that an error has the form of an error.
            said = None
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # An address or a file of certificates that cannot be used, of which requests is silent.
            what = f"no connection to {self._host}: {error}"
            raise ApiError(action, details=what) from None
        if not isinstance(said, dict):
            raise ApiError(action, details=f"{self._host} answered without a JSON object.")
        if said.get("Errors"):
            raise self._error(action, body, 200, said)
        answer = Answer(action, self._host, said)
        if action.startswith("Read") and not body.get("DryRun"):
            answer.rows()
        return answer

    def _refusal(self, action: str, body: dict[str, Any], answer: requests.Response) -> ApiError:
        try:
            said = answer.json()
        except ValueError:
            said = None
        return self._error(action, body, answer.status_code, said)

    def _error(self, action: str, body: dict[str, Any], status: int, said: Any) -> ApiError:
        error = ApiError.of_answer(action, status, said, _hidden(body))
        shown = f"{self._access_key[:SHOWN]}..."
        error.details = error.details.replace(self._access_key, shown)
        if not error.type and not error.details:
            error.details = f"{self._host} answered with HTTP status {error.status}."
        return error

    def _lost(self, action: str, error: requests.RequestException) -> ApiError:
        if isinstance(error, requests.TooManyRedirects):
            what = f"{self._host} answered with a redirect. Correct the endpoint."
            return ApiError(action, status=400, details=what)
        is_unsent = _is_unsent(error)
        # The innermost reason says it; those around it repeat the address.
        inner: Any = error.args[0] if error.args else error
        inner = getattr(inner, "reason", inner)
        why = str(inner.args[-1] if getattr(inner, "args", ()) else inner).rpartition(": ")[2]
        what = f"{'no connection to' if is_unsent else 'no answer from'} {self._host}: {why}"
        return ApiError(action, details=what, is_unsent=is_unsent)


class _Adapter(requests.adapters.HTTPAdapter):
    """The adapter of ``requests``, with timeouts that no caller can forget.

    The one of ``requests`` is for each part of an answer: one that drips would never end.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(pool_maxsize=CONNECTIONS)
        self._clock = clock

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Send one request; raise ``requests.Timeout`` when it takes too long."""
        end_s = self._clock.monotonic_s() + ANSWER_S
        answer = super().send(
            request, **{**options, "stream": True, "timeout": (CONNECT_S, ANSWER_S)}
        )
        try:
            body = b"".join(self._parts(answer.raw, end_s))
        except urllib3.exceptions.HTTPError as error:
            answer.close()
            raise requests.ConnectionError(error) from None
        answer.raw.release_conn()
        answer.raw = io.BytesIO(body)
        return answer

    def _parts(self, raw: urllib3.HTTPResponse, end_s: float) -> Iterator[bytes]:
        while part := raw.read1(_PART, decode_content=True):
            if self._clock.monotonic_s() > end_s:
                what = f"not all of it came within {ANSWER_S:.0f} s"
                raise urllib3.exceptions.HTTPError(what)
            yield part


def _is_unsent(error: requests.RequestException) -> bool:
    """Tell whether no connection was made, so that the API cannot have seen the call."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    inner = error.args[0] if error.args else None
    return isinstance(
        getattr(inner, "reason", None), urllib3.exceptions.NewConnectionError
    ) and isinstance(inner, urllib3.exceptions.MaxRetryError)


def _hidden(body: dict[str, Any]) -> str:
    """Return what of a request nobody may repeat: its user data, as it is sent and as it reads."""
    sent = str(body.get("UserData") or "")
    try:
        read = base64.b64decode(sent).decode(errors="replace")
    except binascii.Error:
        read = ""
    return f"{sent}\n{read}"
