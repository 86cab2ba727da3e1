"""Logs: what a line says, and what it never says."""

import contextvars
import io
import json
import logging

import pytest

from provider.manager import logs


@pytest.fixture
def written():
    """Install logs into a text, and give the text; put everything back afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    redactor = logs.Redactor()

    def install(verbosity=0, format_="text"):
        logs.install(redactor, verbosity, format_, stream)
        return redactor, stream.getvalue

    yield install
    root.handlers[:], root.level = before
    for name in ("kopf", "asyncio", "aiohttp", "urllib3", "kopf._core.reactor.running"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def tell(message, *args, level=logging.INFO, **facts):
    def line():
        logs.about(**facts)
        logging.getLogger("provider.test").log(level, message, *args)

    contextvars.copy_context().run(line)


def test_a_line_of_text(written):
    _, text = written()
    tell("It is %s.", "so", kind="OscCluster", name="demo")
    assert text().endswith("info It is so. logger=provider.test kind=OscCluster name=demo\n")


def test_a_line_of_json(written):
    _, text = written(format_="json")
    tell("It is %s.", "so", kind="OscCluster")
    found = json.loads(text())
    assert found.pop("time")
    assert found == {
        "level": "info",
        "logger": "provider.test",
        "message": "It is so.",
        "kind": "OscCluster",
    }


@pytest.mark.parametrize(("verbosity", "is_told"), [(0, False), (3, False), (4, True), (5, True)])
def test_details_are_told_from_a_verbosity_on(written, verbosity, is_told):
    _, text = written(verbosity)
    tell("A detail.", level=logging.DEBUG)
    assert ("A detail." in text()) is is_told


@pytest.mark.parametrize(("verbosity", "is_told"), [(5, False), (6, True)])
def test_kopf_is_quiet_until_it_is_asked(written, verbosity, is_told):
    _, text = written(verbosity)
    logging.getLogger("kopf.objects").info("A detail.")
    assert ("A detail." in text()) is is_told


@pytest.mark.parametrize(
    "told",
    [
        "the key is canary-1234",
        '{"secret_key": "canary-1234"}',
        "secretKey=canary-1234",
        "password: canary-1234, more",
        "Authorization: Bearer canary-1234",
        "Authorization: Basic Y2FuYXJ5LTEyMzQ=",
        'UserData="canary-1234 and more"',
        "-----BEGIN RSA PRIVATE KEY-----\ncanary-1234\n-----END RSA PRIVATE KEY-----",
        "token='canary-1234'",
    ],
)
@pytest.mark.parametrize("format_", ["text", "json"])
def test_secrets_are_hidden(written, told, format_):
    redactor, text = written(format_=format_)
    if told.startswith("the key"):
        redactor.learn("canary-1234")
    tell("%s", told, also=told)
    assert "canary" not in text()
    assert "Y2FuYXJ5" not in text()
    assert logs.HIDDEN in text()


def test_secrets_in_a_traceback_are_hidden(written):
    redactor, text = written()
    redactor.learn("canary-1234")
    try:
        int("canary-1234")
    except ValueError:
        logging.getLogger("provider.test").exception("It went wrong.")
    assert "ValueError" in text()
    assert "canary" not in text()


def test_what_is_no_secret_stays():
    text = "OscCluster a/demo: the key pair ops is used by 3 machines, token bucket empty."
    redactor = logs.Redactor()
    redactor.learn("ops")
    assert redactor.clean(text) == text
