"""The page that tells what is simulated, and the registry that it is made from."""

import inspect

import pytest

from fakecloud import coverage, document
from fakecloud.call import ACTIONS, SHAPE_ONLY
from fakecloud.cloud import FakeCloud

READS = "fakecloud.cloud"


def test_the_page_is_what_the_code_says():
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page(), "Run make generate."


def test_every_action_of_the_document_is_simulated():
    assert FakeCloud().document.actions.keys() == ACTIONS.keys()


def test_what_is_only_shape_says_why():
    assert SHAPE_ONLY.keys() <= ACTIONS.keys()
    assert all(reason.endswith(".") for reason in SHAPE_ONLY.values())


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_handler_takes_the_parameters_of_its_action_and_no_other(action):
    parameters = inspect.signature(ACTIONS[action]).parameters
    named = {
        name
        for name, parameter in parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD and name != "call"
    }
    takes_all = any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()
    )
    wanted = document.load().actions[action].parameters - {"DryRun"}
    assert named <= wanted
    assert takes_all or named == wanted
