"""``mock_outscale``: a cloud for the duration of a test, as moto users know it."""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

import requests
import responses

from fakecloud import adapter, clock, control, door, sdk
from fakecloud.cloud import FakeCloud

T = TypeVar("T")
HOSTS = re.compile(r"https?://(api|lbu)\.[a-z0-9-]+\.outscale\.(com|hk)(:\d+)?(/.*)?$")
TESTS = re.compile(r"test")
RATE = 60.0
"""Virtual seconds per real second when nothing else is said: code that polls makes progress."""


class mock_outscale:  # noqa: N801 - a decorator, named in moto's manner
    """Answer every call to an OUTSCALE region from a cloud in memory.

    Use it as a decorator of a function or a class, or as a context manager::

        @mock_outscale
        def test_net(): ...

        with mock_outscale(rate=0) as cloud: ...

    Every region's API and LBU hosts are answered; everything else passes through. Credentials in
    the environment are replaced by fake ones while it is active. A decorated class gets a new
    cloud for each test method; a function that has a parameter ``cloud`` receives the cloud.
    ``rate`` is the number of virtual seconds per real second (0 freezes the clock); ``mode`` is
    how credentials are checked; other options are those of :class:`FakeCloud`.
    """

    def __init__(
        self,
        function: Any = None,
        /,
        *,
        cloud: FakeCloud | None = None,
        rate: float = RATE,
        mode: str = "none",
        **options: Any,
    ) -> None:
        self._given = cloud
        self._rate = rate
        self._mode = mode
        self._options = options
        self._active: list[_Session] = []
        self._wrapped = self._decorate(function) if function is not None else None

    def __new__(cls, function: Any = None, /, **options: Any) -> Any:
        """Return the decorated object when used without parentheses."""
        self = super().__new__(cls)
        if function is None:
            return self
        cls.__init__(self, **options)
        return self._decorate(function)

    def __call__(self, target: T) -> T:
        """Decorate a function or every test method of a class."""
        decorated: T = self._decorate(target)
        return decorated

    def __enter__(self) -> FakeCloud:
        """Start answering, and return the cloud."""
        return self.start()

    def __exit__(self, *problem: object) -> None:
        """Stop answering."""
        self.stop()

    def start(self) -> FakeCloud:
        """Start answering, and return the cloud."""
        cloud = self._given or FakeCloud(clock=clock.Clock(rate=self._rate), **self._options)
        session = _Session(cloud, self._mode)
        session.start()
        self._active.append(session)
        return cloud

    def stop(self) -> None:
        """Stop answering what the last :meth:`start` began."""
        self._active.pop().stop()

    def _decorate(self, target: Any) -> Any:
        if inspect.isclass(target):
            for name, method in list(vars(target).items()):
                if inspect.isfunction(method) and TESTS.match(name):
                    setattr(target, name, self._decorate(method))
            return target
        if inspect.iscoroutinefunction(target):
            raise TypeError(
                f"{target.__qualname__} is a coroutine, but osc-sdk-python is synchronous. "
                "Use mock_outscale as a context manager inside."
            )
        return self._wrap(target)

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)
        wants = "cloud" in signature.parameters

        @functools.wraps(function)
        def inner(*arguments: Any, **options: Any) -> Any:
            cloud = self.start()
            try:
                if wants:
                    options["cloud"] = cloud
                return function(*arguments, **options)
            finally:
                self.stop()

        if wants:
            # Otherwise pytest would look for a fixture of that name.
            left = [item for name, item in signature.parameters.items() if name != "cloud"]
            inner.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return inner


class _Session:
    """What is in place while one mock is active."""

    def __init__(self, cloud: FakeCloud, mode: str) -> None:
        self.cloud = cloud
        self._door = door.Door(cloud, mode)
        self._control = control.Control(cloud)
        self._mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self._environment: dict[str, str | None] = {}
        self._methods: dict[str, Any] = {}

    def start(self) -> None:
        for verb in (responses.POST, responses.GET, responses.OPTIONS, responses.PUT):
            self._mock.add_callback(verb, HOSTS, callback=self._answer, content_type=None)
        self._mock.add_passthru(re.compile(r".*"))
        self._mock.start()
        self._replace_environment()
        for name, method in sdk.SHORTCUTS.items():
            self._methods[name] = getattr(sdk.CLIENT, name)
            setattr(sdk.CLIENT, name, method)
        self._methods["acquire"] = sdk.LIMITER.acquire
        sdk.LIMITER.acquire = lambda limiter: None

    def stop(self) -> None:
        sdk.LIMITER.acquire = self._methods.pop("acquire")
        for name, method in self._methods.items():
            setattr(sdk.CLIENT, name, method)
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._mock.stop(allow_assert=False)

    def _replace_environment(self) -> None:
        access_key, secret_key = self.cloud.accounts[self.cloud.account]
        fake = {
            "OSC_ACCESS_KEY": access_key,
            "OSC_SECRET_KEY": secret_key,
            "OSC_REGION": self.cloud.region,
        }
        real = [name for name in os.environ if name.startswith("OSC_")]
        for name in {*real, *fake}:
            self._environment[name] = os.environ.pop(name, None)
        os.environ.update(fake)
        # A profile of the user must not bring real credentials back.
        self._environment.setdefault("OSC_CONFIG_FILE", None)

    def _answer(self, request: requests.PreparedRequest) -> Any:
        answer = adapter.respond(self._door, self._control, request)
        if answer.lost:
            return requests.ConnectionError("The connection was closed before the answer came.")
        headers = dict(answer.headers)
        headers["Content-Length"] = str(len(answer.body))
        return (answer.status, headers, answer.body)
