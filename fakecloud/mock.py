"""``mock_outscale``: a cloud for the duration of a test, as moto users know it."""

from __future__ import annotations

import functools
import inspect
import os
import re
import unittest
from collections.abc import Callable
from typing import Any, TypeVar

import requests
import responses

from fakecloud import adapter, clock, control, door, sdk
from fakecloud.cloud import FakeCloud

T = TypeVar("T")
HOSTS = re.compile(r"https?://(api|lbu)\.[a-z0-9-]+\.outscale\.(com|hk)(:\d+)?(/.*)?$")
TESTS = re.compile(r"test")
VERBS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
RATE = 60.0
"""Virtual seconds per real second when nothing else is said: code that polls makes progress."""


class mock_outscale:  # noqa: N801 - a decorator, named in moto's manner
    """Answer every call to an OUTSCALE region from a cloud in memory.

    Use it as a decorator of a function or a class, or as a context manager::

        @mock_outscale
        def test_net(): ...

        with mock_outscale(rate=0) as cloud: ...

    Every region's API and LBU hosts are answered; everything else passes through. Credentials in
    the environment are replaced by fake ones while it is active, and the profiles in
    ``~/.osc/config.json`` are not read. A decorated class gets a new cloud for each test, which
    its ``setUp`` or ``setup_method`` shares; a function with a parameter ``cloud`` receives it.
    ``rate`` is the number of virtual seconds per real second (0 freezes the clock); ``mode`` is
    how credentials are checked; other options are those of :class:`FakeCloud`.
    """

    def __init__(
        self,
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

    def __new__(cls, function: Any = None, /, **options: Any) -> Any:
        """Return the decorated object when used without parentheses."""
        self = super().__new__(cls)
        if function is None:
            return self
        self.__init__(**options)  # type: ignore[misc]
        return self(function)

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
            return self._decorate_class(target)
        if inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target):
            raise TypeError(
                f"{target.__qualname__} is a coroutine, but osc-sdk-python is synchronous. "
                "Use mock_outscale as a context manager inside."
            )
        return self._wrap(target)

    def _decorate_class(self, target: Any) -> Any:
        """Let what belongs to a test share its cloud: set-up, the test itself and tear-down."""
        methods = {
            name: method
            for name, method in list(vars(target).items())
            if inspect.isfunction(method) and TESTS.match(name)
        }
        if issubclass(target, unittest.TestCase):
            target.run = self._wrap(target.run)
        elif hasattr(target, "setup_method"):
            target.setup_method = self._wrap_setup(target.setup_method)
            target.teardown_method = self._wrap_teardown(getattr(target, "teardown_method", None))
        else:
            for name, method in methods.items():
                setattr(target, name, self._decorate(method))
            return target
        for name, method in methods.items():
            setattr(target, name, self._hand(method))
        return target

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        given = self._hand(function)
        if inspect.isgeneratorfunction(function):

            @functools.wraps(given)
            def inner(*arguments: Any, **options: Any) -> Any:
                with self:
                    return (yield from given(*arguments, **options))
        else:

            @functools.wraps(given)
            def inner(*arguments: Any, **options: Any) -> Any:
                with self:
                    return given(*arguments, **options)

        return inner

    def _wrap_setup(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def setup_method(instance: Any, method: Any) -> None:
            self.start()
            try:
                _call(function, instance, method)
            except BaseException:
                self.stop()
                raise

        return setup_method

    def _wrap_teardown(self, function: Callable[..., Any] | None) -> Callable[..., Any]:
        def teardown_method(instance: Any, method: Any) -> None:
            try:
                if function is not None:
                    _call(function, instance, method)
            finally:
                self.stop()

        return teardown_method

    def _hand(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Hand the active cloud to a function that has a parameter for it."""
        signature = inspect.signature(function)
        if "cloud" not in signature.parameters:
            return function

        @functools.wraps(function)
        def inner(*arguments: Any, **options: Any) -> Any:
            return function(*arguments, **{"cloud": self._active[-1].cloud, **options})

        # Otherwise pytest would look for a fixture of that name.
        left = [item for name, item in signature.parameters.items() if name != "cloud"]
        inner.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return inner


def _call(function: Callable[..., Any], instance: Any, method: Any) -> None:
    """Call a set-up or tear-down of pytest, which may take the test method or not."""
    takes = len(inspect.signature(function).parameters)
    function(*(instance, method)[:takes])


class _Session:
    """What is in place while one mock is active."""

    def __init__(self, cloud: FakeCloud, mode: str) -> None:
        self.cloud = cloud
        self._door = door.Door(cloud, mode)
        self._control = control.Control(cloud)
        self._mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self._environment: dict[str, str | None] = {}
        self._methods: list[tuple[Any, str, Any]] = []

    def start(self) -> None:
        for verb in VERBS:
            self._mock.add_callback(verb, HOSTS, callback=self._answer, content_type=None)
        self._mock.add_passthru(re.compile(r".*"))
        self._mock.start()
        self._replace_environment()
        for owner, name, method in sdk.SHORTCUTS:
            self._methods.append((owner, name, vars(owner)[name]))
            setattr(owner, name, method)

    def stop(self) -> None:
        while self._methods:
            setattr(*self._methods.pop())
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

    def _answer(self, request: requests.PreparedRequest) -> Any:
        answer = adapter.respond(self._door, self._control, request)
        if answer.delay_s:
            self.cloud.clock.sleep(answer.delay_s)
        if answer.lost:
            return requests.ConnectionError("The connection was closed before the answer came.")
        headers = dict(answer.headers)
        headers["Content-Length"] = str(len(answer.body))
        return (answer.status, headers, b"" if request.method == "HEAD" else answer.body)
