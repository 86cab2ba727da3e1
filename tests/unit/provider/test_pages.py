"""Pages with tables: what the source tells users is in them, and nothing else."""

import ast
import re

import pytest
import yaml

from fakecloud import FakeCloud
from provider import admission, cli, conditions, doctor, reasons
from provider.api import v1beta2
from provider.engine.resource import Refusal
from provider.osc import credentials
from provider.pages import messages, operate, tables, troubleshoot
from provider.reasons import Reason
from provider.resources import image
from provider.rules import validation

TEXT = troubleshoot.PAGE.read_text(encoding="utf-8")
FOUND = messages.read()


def trees():
    for path in messages.SOURCE.rglob("*.py"):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def scanned(source):
    return [(each.where, each.wrong, each.remedy) for each in messages.of_source("m", source)]


# --- The page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [operate, troubleshoot], ids=["operate", "troubleshoot"])
def test_a_page_is_as_it_is_generated(page):
    text = page.PAGE.read_text(encoding="utf-8")
    assert tables.filled(text, page.content()) == text, "Run 'make generate'."


def test_every_module_that_tells_something_has_one_table():
    for module in {each.module for each in FOUND}:
        homes = [
            name
            for name, modules in troubleshoot.SECTIONS.items()
            if any(messages_of(modules, module))
        ]
        assert len(homes) == 1, f"{module} is in {homes}. Give it a place in SECTIONS."


def messages_of(modules, module):
    some = messages.Message(module, 1, "", "", "")
    return list(troubleshoot.of(modules, [some]))


def test_no_table_is_for_modules_that_tell_nothing():
    for modules in troubleshoot.SECTIONS.values():
        for each in modules:
            assert list(troubleshoot.of([each], FOUND)), f"{each} tells nothing. Remove it."


def test_every_condition_that_the_source_names_is_on_the_page():
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and re.fullmatch(r"[A-Z]\w+Ready", str(node.value)):
                assert f"| `{node.value}` |" in TEXT, f"{path.name}:{node.lineno}"


def test_whatever_is_told_says_what_to_do():
    bare = [f"{each.module}:{each.line}: {each.wrong}" for each in FOUND if not each.remedy]
    assert not bare, "These say only what is wrong."


@pytest.mark.parametrize(
    "words",
    [
        "is set already, and then it stays as it is.",
        "has a field of another type than its schema says.",
        "The lease is lost. All work ends here",
        "The start has to wait.",
        "Somebody else was faster",
        "This is a mistake of ours.",
        "cannot be accepted",
    ],
)
def test_what_is_quoted_by_hand_is_in_the_source(words):
    assert words in TEXT
    assert any(words in path.read_text(encoding="utf-8") for path, _ in trees())


# --- Reasons -------------------------------------------------------------------------------------


def test_every_reason_is_given_somewhere():
    named = {
        node.attr
        for path, tree in trees()
        if path.name != "reasons.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Reason"
    }
    assert named == set(Reason.__members__)


def test_every_reason_says_what_it_means_in_sentences():
    for each in Reason:
        assert re.fullmatch(r"[A-Z].*\.", each.means), each
        assert re.fullmatch(r"([A-Z'].*\.)?", each.remedy), each


def test_a_reason_that_asks_for_somebody_says_what_to_do():
    lasting = [conditions.CAUSES[each] for each in doctor.Cause if each not in conditions.PASSING]
    assert all(each.remedy for each in lasting)


def test_a_reason_is_stored_as_a_plain_word():
    assert type(str(reasons.Reason.READY)) is str


# --- What is on a screen has a row ---------------------------------------------------------------


def row_of(told):
    """Return the rows whose words are those of a text; an ellipsis stands for anything."""
    rows = [f"{each.wrong} {each.remedy}" for each in FOUND]
    return [
        row
        for row in rows
        if re.fullmatch(".*".join(map(re.escape, row.split(messages.GAP))), told, re.DOTALL)
    ]


CLUSTER = {
    "controlPlaneEndpoint": {"host": "a"},
    "network": {
        "subregions": ["eu-west-2a", "us-east-2a", "nowhere"],
        "net": {"ipRange": "10.0.0.0/8"},
        "subnets": [{"ipRange": "10.0.0.0/30", "roles": ["publi"]}, {"name": "a"}, {"name": "a"}],
        "routeTables": [{"routes": [{"targetType": "vpn", "destination": "10.0.0.1/8"}]}],
        "loadBalancer": {"name": "-", "type": "x", "healthCheck": {"timeout": 1, "path": "x"}},
        "securityGroups": [{"rules": [{"flow": "In", "ipProtocol": "tcp"}]}],
        "bastion": {"enable": True},
    },
}
MACHINE = {
    "providerID": "x",
    "vm": {"vmType": "t2", "image": {"name": "a"}, "privateIps": ["a"], "tags": {"": ""}},
    "volumes": [{"device": "/dev/sda1", "type": "gp2", "iops": 5}],
}


@pytest.mark.parametrize(
    "spec",
    [
        v1beta2.OscClusterSpec.model_validate(CLUSTER),
        v1beta2.OscMachineSpec.model_validate(MACHINE),
    ],
    ids=["OscCluster", "OscMachine"],
)
def test_every_problem_of_a_bad_spec_has_a_row(spec):
    found = validation.problems(spec)
    assert len(found) > 5
    for each in found:
        assert row_of(each.message), each


def test_what_the_cloud_does_not_have_has_a_row():
    cloud = Account(FakeCloud())
    with pytest.raises(Refusal) as refused:
        image.find(cloud, v1beta2.Image(id="ami-12345678"), "spec.vm.image")
    assert row_of(str(refused.value))


def test_missing_credentials_have_a_row():
    with pytest.raises(credentials.CredentialsError) as missing:
        credentials.of_environment({"OSC_ACCESS_KEY": "a"})
    assert row_of(str(missing.value))


def test_what_the_doctor_finds_has_a_row():
    cloud = Account(FakeCloud())
    asked = doctor.Asked(keypair="none", subregions=("eu-west-2a",), has_trials=False)
    (found,) = [each for each in doctor.examine(cloud, asked) if each.remedy]
    assert row_of(f"{found.told} {found.remedy}")


class Account:
    """A simulated cloud as commands see one."""

    region = "eu-west-2"

    def __init__(self, cloud):
        self.call = cloud.call

    def read(self, action, **request):
        (rows,) = (each for each in self.call(action, **request).values() if isinstance(each, list))
        return rows


# --- How the source is read ----------------------------------------------------------------------


def test_what_a_program_fills_in_is_an_ellipsis():
    source = """def f(path, a):\n    yield Problem(f"{path}.x", f"It is {a}. Correct it.")"""
    assert scanned(source) == [("x", "It is ….", "Correct it.")]


def test_what_the_module_says_itself_is_filled_in():
    source = """MOST = 3\ndef f():\n    what = "a Net"\n    raise Refusal(f"{what}, {MOST}. Do.")"""
    assert scanned(source) == [("", "a Net, 3.", "Do.")]


def test_what_calls_give_to_a_function_of_the_module_is_filled_in():
    source = """def _f(a, b):\n    raise Refusal(f"{a}. {b}")\ndef g():\n    _f("A", "Do.")"""
    assert scanned(source) == [("", "A.", "Do.")]


def test_both_ways_of_a_choice_are_told():
    source = """def f(a):\n    raise Refusal(("A. " if a else "B. ") + "Do.")"""
    assert scanned(source) == [("", "A.", "Do."), ("", "B.", "Do.")]


def test_a_coroutine_tells_as_well():
    assert scanned("""async def f():\n    raise Refusal("A. Do.")""") == [("", "A.", "Do.")]


def test_a_step_that_is_refused_ends_with_a_full_stop():
    source = """def f(a):\n    return Step(Verb.REFUSE, a, f"{a} is no more. Do it")"""
    assert scanned(source) == [("", "… is no more.", "Do it.")]


def test_what_only_passes_on_is_left_out():
    assert not scanned("""def f(e):\n    raise Refusal(f"spec: {e}") from e""")
    assert not scanned("""def f(e):\n    raise Refusal(str(e)) from e""")


def test_a_finding_without_a_remedy_is_good_news():
    assert not scanned("""def f():\n    yield Finding("net", "It is there.")""")


# --- What pages say of commands, metrics and objects ---------------------------------------------

PAGES = sorted([*tables.FOLDER.glob("*.md"), tables.FOLDER.parent / "README.md"])
OPERATE = operate.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_command_on_a_page_exists_with_its_flags(path):
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for name, rest in re.findall(
        r"\bcaposc ([a-z]+)((?: +-{1,2}[a-z][\w-]*(?:[ =][\w\"$./:-]+)?)*)", text
    ):
        command = cli.main.get_command(None, name)
        assert command is not None, f"caposc {name}"
        known = {flag for each in command.params for flag in (*each.opts, *each.secondary_opts)}
        assert set(re.findall(r"(?<= )--?[a-z][\w-]*", rest)) <= known, f"caposc {name}{rest}"


def test_every_flag_of_the_manager_that_is_named_exists():
    flags = set(re.findall(r"^\| `(--[\w-]+)`", OPERATE, re.MULTILINE))
    text = TEXT + re.sub(r"```console.*?```", "", OPERATE, flags=re.DOTALL)
    named = set(re.findall(r"(?<=`)(--[a-z-]+)(?=[`= ])", text))
    others = {"--include-crd", "--include-namespace", "--contract"}
    assert named - others <= flags


def test_every_metric_that_is_named_exists():
    names = set(re.findall(r"^\| `(caposc_\w+)`", OPERATE, re.MULTILINE))
    assert set(re.findall(r"caposc_\w+", OPERATE + TEXT)) <= names


def test_every_object_of_ours_on_a_page_is_valid():
    blocks = re.findall(r"```yaml\n(.*?)```", OPERATE, re.DOTALL)
    found = [each for block in blocks for each in yaml.safe_load_all(block)]
    ours = [each for each in found if each.get("kind", "").startswith("Osc")]
    assert len(ours) >= 3
    for each in ours:
        spec = admission.MODELS[each["kind"]].model_validate(each).spec
        assert validation.problems(spec) == []
        dumped = spec.model_dump(by_alias=True, exclude_unset=True)
        assert dumped == each["spec"], "It has a field that does not exist."
