"""Where the provider runs, as its VM is told."""

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
