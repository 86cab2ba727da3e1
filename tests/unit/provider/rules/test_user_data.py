"""User data: the OUTSCALE section, compression, and the limit of the API."""

import base64
import gzip
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakecloud.rules import user_data as simulated
from provider.rules import user_data

CONFIG = b"## template: jinja\n#cloud-config\n"
SECRET = b"a-token-that-nobody-may-see "
LIMIT = user_data.LIMIT_BYTES


def noise(size):
    """Return what compression does not make smaller."""
    return random.Random(7).randbytes(size)


def test_tags_stand_in_front_in_the_order_of_their_keys():
    composed = user_data.compose(CONFIG, {"b": "2", "tags.a": "1"})
    assert (
        base64.b64decode(composed)
        == (
            b"-----BEGIN OUTSCALE SECTION-----\n"
            b"filter_private_section=true\n"
            b"tags.a=1\n"
            b"tags.b=2\n"
            b"-----END OUTSCALE SECTION-----\n"
        )
        + CONFIG
    )


def test_without_tags_there_is_no_section():
    assert base64.b64decode(user_data.compose(CONFIG, {})) == CONFIG


def test_the_order_of_tags_changes_nothing():
    one = user_data.compose(CONFIG, {"a": "1", "b": "2"})
    assert one == user_data.compose(CONFIG, {"b": "2", "a": "1"})


@pytest.mark.parametrize("form", ["", "cloud-config", "ignition"])
def test_the_vm_sees_its_configuration_and_the_cloud_its_tags(form):
    composed = user_data.compose(CONFIG, {"osc.fcu.repulse_server": "md-0"}, form)
    assert simulated.public_part(composed) == CONFIG
    assert simulated.section(composed).tags == {"osc.fcu.repulse_server": "md-0"}


@given(
    st.binary(max_size=200),
    st.dictionaries(
        st.from_regex(r"\A[a-zA-Z0-9._-]{1,20}\Z"),
        st.from_regex(r"\A[a-zA-Z0-9._ /=-]{0,20}[a-z]\Z"),
    ),
)
def test_the_cloud_reads_the_tags_that_were_written(bootstrap, tags):
    tags = {key: value for key, value in tags.items() if not key.startswith("tags.")}
    composed = user_data.compose(b"#" + bootstrap, tags)
    assert simulated.section(composed).tags == tags


def test_what_fits_is_not_compressed():
    largest = SECRET * (LIMIT // 4 * 3 // len(SECRET))
    assert base64.b64decode(user_data.compose(largest, {})) == largest


@pytest.mark.parametrize("form", ["", "cloud-config"])
def test_what_is_too_large_is_compressed_behind_the_section(form):
    large = SECRET * LIMIT
    composed = user_data.compose(large, {"a": "1"}, form)
    assert len(composed) <= LIMIT
    assert simulated.section(composed).tags == {"a": "1"}
    assert gzip.decompress(simulated.public_part(composed)) == large
    assert composed == user_data.compose(large, {"a": "1"}, form)


@pytest.mark.parametrize(
    ("bootstrap", "form", "told"),
    [
        (SECRET + noise(LIMIT), "cloud-config", "682868 bytes in Base64, and 683"),
        (SECRET * LIMIT, "ignition", "ignition cannot be compressed"),
    ],
)
def test_what_does_not_fit_is_refused_without_a_word_of_it(bootstrap, form, told):
    with pytest.raises(user_data.TooLarge, match=told) as refusal:
        user_data.compose(bootstrap, {"secret-tag": "secret-value"}, form)
    assert "512000 are the most" in str(refusal.value)
    assert "token" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("tags", "count"),
    [
        ({"team": "a b=c", "tags.other": ""}, 0),
        ({"": "x"}, 1),
        ({"tags.": "x"}, 1),
        ({"a=b": "x"}, 1),
        ({"a\nb": "x"}, 1),
        ({"a": "x\n-----END OUTSCALE SECTION-----"}, 1),
        ({"a": "x\r"}, 1),
    ],
)
def test_a_tag_is_one_line(tags, count):
    assert len(user_data.tag_problems("spec.vm.tags", tags)) == count
