"""The EIM policy: what the source calls is in it, and nothing else."""

import ast
import json
import pathlib

import pytest
from click.testing import CliRunner

from fakecloud import FakeCloud
from fakecloud.rules import policies
from provider import cli, permissions

SOURCE = pathlib.Path(permissions.__file__).parent
ACTIONS = FakeCloud().document.actions
NAMED = [each.action for each in permissions.PERMISSIONS]


def trees():
    for path in SOURCE.rglob("*.py"):
        if path.name != "permissions.py":
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def called():
    """Give (path, name) of every action that the source names: some are chosen, then called."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value in ACTIONS:
                yield path.name, node.value


def test_every_action_that_the_source_names_is_allowed_and_no_other():
    assert {action for _, action in called()} == set(NAMED)


def test_every_action_that_is_called_directly_is_one_of_the_api():
    for path, tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"call", "read"}
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                assert node.args[0].value in ACTIONS, f"{path.name}:{node.lineno}"


def test_no_action_is_there_twice():
    assert len(NAMED) == len(set(NAMED))


def test_every_action_has_a_reason():
    for each in permissions.PERMISSIONS:
        assert each.why
        assert each.why[0].islower() or each.why.startswith("NAT"), each.action
        assert not each.why.endswith(".")


@pytest.mark.parametrize("each", permissions.PERMISSIONS, ids=lambda each: each.action)
def test_every_trial_is_a_request_that_the_api_understands(each):
    book = FakeCloud().document
    assert not book.problems(ACTIONS[each.action].request, {**each.trial, "DryRun": True})


def test_the_policy_allows_each_action_and_no_other():
    statements = policies.read(permissions.text())
    for action in ACTIONS:
        allowed = any(each.covers(f"api:{action}") for each in statements)
        assert allowed == (action in NAMED), action


def test_the_document_is_up_to_date():
    text = permissions.PAGE.read_text(encoding="utf-8")
    assert text == permissions.text(), "Run 'make generate'."


def test_the_command_prints_the_policy():
    done = CliRunner().invoke(cli.main, ["permissions"])
    assert json.loads(done.output) == permissions.policy()


def test_the_command_tells_why():
    done = CliRunner().invoke(cli.main, ["permissions", "--why"])
    assert "DeleteNet                          deletes the Net\n" in done.output
    assert len(done.output.splitlines()) == len(NAMED)
