"""Addresses that are served."""

import pytest

from provider.manager import web


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (":8080", (None, 8080)),
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:8080", ("::1", 8080)),
        ("0", None),
        ("", None),
    ],
)
def test_an_address_as_go_writes_it(address, place):
    assert web.split(address) == place


@pytest.mark.parametrize("address", ["8080", "localhost", "localhost:http", ":"])
def test_an_address_without_a_port_is_refused(address):
    with pytest.raises(ValueError, match="must look like"):
        web.split(address)
