"""Every refusal that the code can make is one that the real API is known to make.

What the tests themselves run into is collected in ``tests/conftest.py``, which fails the whole run
for a pair of code and type that nobody has seen. Here the same is asked of what no test reaches.
"""

import ast
import pathlib

import pytest

import fakecloud
from fakecloud import document, errors
from fakecloud.call import QUOTA_CODES
from fakecloud.kinds import KINDS
from tests import known_errors

SOURCES = sorted(pathlib.Path(fakecloud.__file__).parent.rglob("*.py"))
NAMES_OF_CODES = {"absent", "in_use", "code", "taken"}


def numbers(node):
    """Return the whole numbers that stand in an expression."""
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and type(each.value) is int
    }


def refused_with(tree):
    """Return the codes that stand in calls of ``refusal``, or go by the name of a code."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name == "refusal" and node.args:
            found |= numbers(node.args[0])
        for keyword in node.keywords:
            if keyword.arg in NAMES_OF_CODES:
                found |= {code for code in numbers(keyword.value) if code >= 1000}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])
def test_every_code_in_the_source_is_known(path):
    unknown = {
        code: errors.classify(code)[0]
        for code in refused_with(ast.parse(path.read_text()))
        if not known_errors.is_known(code, errors.classify(code)[0])
    }
    assert unknown == {}


def test_every_code_in_the_tables_is_known():
    codes = {*errors.TEXTS, *QUOTA_CODES.values()}
    codes |= {code for kind in KINDS.values() for code in (kind.absent, kind.in_use)}
    unknown = {
        code: errors.classify(code)[0]
        for code in codes
        if not known_errors.is_known(code, errors.classify(code)[0])
    }
    assert unknown == {}


def test_the_table_of_other_errors_holds_no_error_of_the_file():
    known = document.known_errors()
    doubled = {
        pair for pair in known_errors.ALSO_KNOWN if known.get(pair[0], ("", ""))[1] == pair[1]
    }
    assert doubled == set()


def test_every_other_error_says_where_it_is_known_from():
    assert set(known_errors.ALSO_KNOWN.values()) <= {"page", "recorded", "vendor", "client"}


def test_an_invented_error_is_not_known():
    assert not known_errors.is_known(4999, "InvalidParameterValue")
    assert not known_errors.is_known(5063, "InvalidParameterValue")
    assert known_errors.is_known(5063, "InvalidResource")
