"""User data: its OUTSCALE section, and what the metadata service may show of it."""

import base64

import pytest

from fakecloud.errors import ApiError
from fakecloud.rules import user_data

BEGIN, END = "-----BEGIN OUTSCALE SECTION-----", "-----END OUTSCALE SECTION-----"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def test_a_section_holds_tags_and_flags():
    lines = [BEGIN, "  tags.a=1 ", "tags.b.c=d=e", "private_only=True", "nothing", END, "tags.z=1"]
    found = user_data.section(encoded("\n".join(lines)))
    assert found.tags == {"a": "1", "b.c": "d=e"}
    assert found.private_only
    assert not found.filter_private_section


@pytest.mark.parametrize("text", ["", "#!/bin/sh\ntags.a=1\n"])
def test_user_data_without_a_section_asks_for_nothing(text):
    assert user_data.section(encoded(text)) == user_data.NO_SECTION


def test_binary_user_data_is_accepted():
    raw = bytes(range(256))
    assert user_data.decode(base64.b64encode(raw).decode()) == raw
    assert user_data.section(base64.b64encode(raw).decode()) == user_data.NO_SECTION


def test_a_private_section_is_not_shown():
    script = "#!/bin/sh\necho hello\n"
    shown = f"{BEGIN}\ntags.a=1\n{END}\n{script}"
    assert user_data.public_part(encoded(shown)) == shown.encode()
    private = f"{BEGIN}\nfilter_private_section=true\n{END}\n{script}"
    assert user_data.public_part(encoded(private)) == script.encode()
    endless = f"{script}{BEGIN}\nfilter_private_section=true\n"
    assert user_data.public_part(encoded(endless)) == script.encode()


def test_there_is_a_longest_length():
    most = base64.b64encode(b"x" * user_data.LIMIT_BYTES).decode()
    assert len(user_data.decode(most)) == user_data.LIMIT_BYTES
    with pytest.raises(ApiError) as error:
        user_data.decode(base64.b64encode(b"x" * (user_data.LIMIT_BYTES + 1)).decode())
    assert error.value.code == "4106"
