"""What every test shares."""

import random

import hypothesis
import pytest

from fakecloud import errors
from tests import known_errors

pytest_plugins = ["tools.pytest_plugin"]

# A busy machine is slow, which says nothing about the code: the whole run has a budget instead.
hypothesis.settings.register_profile("caposc", deadline=None, print_blob=True)
hypothesis.settings.load_profile("caposc")


def pytest_addoption(parser):
    """Add the choices of whoever runs the tests."""
    parser.addoption(
        "--every-position",
        action="store_true",
        help="Let every call of a run fail in turn, not one in five.",
    )
    parser.addoption(
        "--kube",
        choices=["fake", "real"],
        default="fake",
        help="What the provider's functional tests run on: fakekube, or a real kube-apiserver.",
    )


@pytest.fixture
def positions(request):
    """Return which of so many positions are tried: all, or one in five from a random start."""

    def choose(first, last):
        every = request.config.getoption("--every-position")
        start = 0 if every else random.randrange(5)  # noqa: TID251 - pytest-randomly seeds it
        return range(first + start, last + 1, 1 if every else 5)

    return choose


# --- Every refusal that any test runs into must be one that the real API is known to make ---------

_met = {}
_make = errors.ApiError.__init__


def _remember(self, code, type_, status, details):
    _make(self, code, type_, status, details)
    _met.setdefault((code, type_), details)


errors.ApiError.__init__ = _remember


def _unknown():
    return {pair: said for pair, said in _met.items() if not known_errors.is_known(*pair)}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Fail the run when the simulator made an error that nobody has seen."""
    if _unknown() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    """Tell which errors these are."""
    for (code, type_), details in sorted(_unknown().items()):
        terminalreporter.write_line(
            f"Unknown error {code} {type_} ({details!r}). Correct it in fakecloud, or say in "
            "tests/known_errors.py where it is known from.",
            red=True,
        )
