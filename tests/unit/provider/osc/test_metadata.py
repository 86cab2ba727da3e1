"""Where the provider runs, as its VM is told."""

import contextlib
import socket

import pytest
import requests

from provider.osc import metadata

ANSWERS = {
    "mac": "aa:bb",
    "network/interfaces/macs/aa:bb/vpc-id": "vpc-1",
    "network/interfaces/macs/aa:bb/owner-id": "123456789012",
}


def get(answers):
    def answer(url):
        path = url.removeprefix(metadata.BASE)
        if path not in answers:
            raise requests.HTTPError("404")
        return answers[path]

    return answer


def test_a_vm_knows_its_net_and_its_account():
    assert metadata.here(get(ANSWERS)) == metadata.Place("vpc-1", "123456789012")


def test_a_vm_outside_of_any_net_is_nowhere():
    assert metadata.here(get({"mac": "aa:bb"})) is None


def test_outside_of_a_vm_nobody_answers():
    assert metadata.here(get({})) is None


@pytest.mark.parametrize("part", ["vpc-id", "owner-id"])
def test_what_answers_with_a_page_is_no_metadata_service(part):
    page = {key: "<html>" if key.endswith(part) else value for key, value in ANSWERS.items()}
    assert metadata.here(get(page)) is None


def test_no_proxy_is_asked_where_the_provider_runs(monkeypatch):
    with contextlib.ExitStack() as stack:
        here, proxy = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in "12")
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setattr(metadata, "BASE", f"http://127.0.0.1:{here.getsockname()[1]}/")
        monkeypatch.setattr(metadata, "ANSWER_S", 0.05)
        assert metadata.here() is None
        proxy.settimeout(0)
        with pytest.raises(BlockingIOError):
            proxy.accept()
