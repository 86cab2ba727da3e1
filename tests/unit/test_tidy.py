"""Style as a test: the rules of this project that no linter knows.

A check takes a path and a text, and gives lines ``path:line: what. What to do.`` The second half
of this file shows of every check that it bites, and what it spares.
"""

import ast
import fnmatch
import functools
import io
import itertools
import os
import pathlib
import re
import tokenize

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

BANNED = {
    r"\bsimply\b": "Leave it out",
    r"\bjust\b": "Leave it out, or write 'only'",
    r"\brobust(ly|ness)?\b": "Say what it withstands",
    r"\be\.g\.": "Write 'for example'",
    r"\b(?-i:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))": "Open an issue, and write TODO(#123)",
}

FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = {
    "provider/": 400,
    "fakecloud/": 400,
    "fakekube/": 400,
    "tools/": 400,
    "tests/": 600,
}
LONGER: dict[str, tuple[int, str]] = {
    # "path", or "path::function": (lines at most, why).
}

# The brackets keep these patterns from finding themselves.
PLACES = {
    r"\bpy[p]i\.(org|io)\b|\bpython[h]osted\b|\bnpm[j]s\b|\bcrates[.]io\b|\b(proxy|sum)[.]golang\b"
    r"|\b(deb|packages)[.]debian\b": (
        "names a package registry",
        "Leave it to the configuration of the reader's own machine",
    ),
    r"--(extra-)?index[-]url\b|--find[-]links\b": (
        "chooses a package index",
        "Leave it to the configuration of the reader's own machine",
    ),
    r"(?<![\w.$}~-])/(home|root|work|workspace|Users)/\w": (
        "is a path of one machine",
        "Write it relative to the top of the repository",
    ),
}

FRAGMENT = re.compile(r"\d+\.(added|changed|deprecated|removed|fixed|security)\.md")


# --- What there is to check ----------------------------------------------------------------------


@functools.cache
def tree():
    """Read every text file that is not ignored, as pairs of path and text."""
    rules = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [".git", *(rule for rule in rules if rule and not rule.startswith("#"))]

    def kept(names):
        return sorted(n for n in names if not any(fnmatch.fnmatch(n, rule) for rule in ignored))

    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = kept(folders)
        for path in (pathlib.Path(folder, name) for name in kept(files)):
            content = path.read_bytes()
            if b"\0" not in content:
                found.append((path.relative_to(ROOT).as_posix(), content.decode()))
    return found


def prose(path, text):
    """Give the numbered lines that are written for people: no code, and nothing in backticks."""
    if path.endswith(".py"):
        lines = text.splitlines()
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        written = {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}
        for node in ast.walk(ast.parse(text)):
            # A string that stands alone is a docstring, of whatever stands before it.
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                written.update((n, lines[n - 1]) for n in range(node.lineno, node.end_lineno + 1))
    elif path.endswith(".md"):
        written = {number: line for number, line, fenced in markdown(text) if not fenced}
    else:
        written = {}
    for number, line in sorted(written.items()):
        yield number, re.sub(r"(`+).+?\1", "", line)


def markdown(text):
    """Give number, line and whether it stands in a fenced block."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.lstrip().startswith("```")
        yield number, line, fenced or fence
        fenced = fenced != fence


def functions(text):
    """Give name, first line and number of lines of every function."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


# --- The checks ----------------------------------------------------------------------------------


def banned_words(path, text):
    for number, line in prose(path, text):
        for pattern, remedy in BANNED.items():
            if found := re.search(pattern, line, re.IGNORECASE):
                yield f"{path}:{number}: '{found[0]}' stands in prose. {remedy}."


def long_functions(path, text):
    if not path.endswith(".py"):
        return
    for name, number, lines in functions(text):
        most = LONGER.get(f"{path}::{name}", (FUNCTION_LINES_MAX, ""))[0]
        if lines > most:
            yield (
                f"{path}:{number}: {name} has {lines} lines, but {most} are the most. "
                "Give a part of it a name of its own."
            )


def long_files(path, text):
    folders = (most for folder, most in FILE_LINES_MAX.items() if path.startswith(folder))
    most, _ = LONGER.get(path, (next(folders, None), ""))
    lines = len(text.splitlines())
    if path.endswith(".py") and most is not None and lines > most:
        yield f"{path}:{lines}: it has {lines} lines, but {most} are the most. Split it by idea."


def missing_docstrings(path, text):
    if path.endswith(".py") and not ast.get_docstring(ast.parse(text)):
        yield f"{path}:1: there is no docstring. Say in one sentence what lives in this module."


def named_places(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, (what, remedy) in PLACES.items():
            if found := re.search(pattern, line):
                yield f"{path}:{number}: '{found[0]}' {what}. {remedy}."


def titles(path, text):
    if not path.endswith(".md") or FRAGMENT.fullmatch(path.rpartition("/")[2]):
        return
    found = [n for n, line, fenced in markdown(text) if line.startswith("# ") and not fenced]
    if len(found) != 1:
        where = found[1] if found else 1
        yield f"{path}:{where}: it has {len(found)} titles with one '#'. Keep exactly one."


def fragment_names(path, text):
    folder, _, name = path.rpartition("/")
    if folder != "changes" or name == "README.md":
        return
    if not FRAGMENT.fullmatch(name):
        yield f"{path}:1: a fragment has no such name. Name it as changes/README.md says."
    if not text.strip():
        yield f"{path}:1: it is empty. Say what changes for those who use this."


def map_paths(path, text):
    if path != "README.md":
        return
    inside = False
    for number, line, _ in markdown(text):
        if line.startswith("#"):
            inside = line.startswith("## Where is")
        elif inside and line.startswith("|"):
            for named in re.findall(r"`([^`]+)`", line.strip("| ").rpartition("|")[2]):
                if not (ROOT / named).exists():
                    yield f"{path}:{number}: {named} is not there. Put the map right."


def dead_links(path, text):
    if not path.endswith(".md"):
        return
    for number, line, fenced in markdown(text):
        for link in re.findall(r"\]\(([^)#\s]+)", "" if fenced else line):
            if ":" not in link and not (ROOT / path).parent.joinpath(link).exists():
                yield f"{path}:{number}: the link to {link} leads nowhere. Put it right."


def unknown_targets(path, text):
    if not path.endswith(".md"):
        return
    known = re.findall(
        r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    for number, line, fenced in markdown(text):
        for code in [line] if fenced else re.findall(r"`([^`]+)`", line):
            for target in re.findall(
                r"[a-z0-9]+", "".join(re.findall(r"^make ([a-z0-9 ]+)", code))
            ):
                if target not in known:
                    yield f"{path}:{number}: 'make {target}' does not exist. See 'make help'."


CHECKS = [
    banned_words,
    long_functions,
    long_files,
    missing_docstrings,
    named_places,
    titles,
    fragment_names,
    map_paths,
    dead_links,
    unknown_targets,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_tree_is_tidy(check):
    findings = list(itertools.chain.from_iterable(check(*file) for file in tree()))
    if findings:
        pytest.fail("\n".join([f"{len(findings)} to put right.", *findings]), pytrace=False)


def test_every_exception_is_needed():
    texts = dict(tree())
    for name, (most, why) in LONGER.items():
        path, _, function = name.partition("::")
        assert path in texts, f"{name} is not there. Take it out of LONGER."
        sizes = {found: lines for found, _, lines in functions(texts[path])}
        lines = sizes.get(function, 0) if function else len(texts[path].splitlines())
        limits = [limit for folder, limit in FILE_LINES_MAX.items() if path.startswith(folder)]
        usual = FUNCTION_LINES_MAX if function else limits[0]
        assert usual < lines <= most, f"{name} has {lines} lines. Put its row in LONGER right."
        assert why.endswith("."), f"{name} has no reason. Give one, as a sentence."


# --- The checks bite -----------------------------------------------------------------------------

BODY = "    x = 1\n" * FUNCTION_LINES_MAX
REGISTRY = "py" + "pi.org"
HERE = "/" + "home/somebody/caposc"

BITES = [
    (banned_words, "a.py", "x = 1\n# It is simply so.\n", 2),
    (banned_words, "a.py", "x = 1\n\n'''Just a field.'''\n", 3),
    (banned_words, "a.py", "def f():\n    '''Do.\n\n    A robust way.\n    '''\n", 4),
    (banned_words, "a.py", "# TODO: later.\n", 1),
    (banned_words, "a.md", "# A\n\nUse one, e.g. this.\n", 3),
    (banned_words, "a.md", "```\ncode\n```\nFIXME\n", 4),
    (long_functions, "a.py", f"\ndef f():\n{BODY}", 2),
    (long_functions, "a.py", f"class A:\n  async def f():\n{BODY}", 2),
    (long_files, "fakecloud/a.py", "x = 1\n" * 401, 401),
    (missing_docstrings, "a.py", "x = 1\n", 1),
    (missing_docstrings, "a/__init__.py", "", 1),
    (named_places, "a.txt", f"\nhttps://{REGISTRY}/simple\n", 2),
    (named_places, "a.txt", "--index" + "-url x\n", 1),
    (named_places, "a.toml", f'path = "{HERE}"\n', 1),
    (titles, "docs/a.md", "Text\n", 1),
    (titles, "docs/a.md", "# One\n\n# Two\n", 3),
    (fragment_names, "changes/thing.md", "Text.\n", 1),
    (fragment_names, "changes/2.new.md", "Text.\n", 1),
    (fragment_names, "changes/2.added.md", "\n", 1),
    (map_paths, "README.md", "## Where is what\n| a | `no/such` |\n", 2),
    (dead_links, "docs/a.md", "See [this](no-such.md#part).\n", 1),
    (unknown_targets, "a.md", "```\nmake nonsense\n```\n", 2),
    (unknown_targets, "a.md", "Run `make setup nonsense`.\n", 1),
]

SPARES = [
    (banned_words, "a.py", "# The word `simply` in backticks. TODO(#12): this.\nx = 'just'\n"),
    (banned_words, "a.py", "# Adjust the justification.\n"),
    (banned_words, "a.md", "```\njust code\n```\n"),
    (long_functions, "a.py", f"def f():\n{BODY[: -len('    x = 1') - 1]}"),
    (long_files, "fakecloud/a.py", "x = 1\n" * 400),
    (missing_docstrings, "a.md", "Text\n"),
    (named_places, "a.py", "url = 'http://169.254.169.254/home/x'; here = '$TOP/work/x'\n"),
    (titles, "docs/a.md", "# One\n\n```sh\n# a comment\n```\n\n## Part\n"),
    (titles, "changes/2.added.md", "Text.\n"),
    (fragment_names, "changes/2.added.md", "Text.\n"),
    (map_paths, "README.md", "## Where is what\n| `no/such` | `Makefile` |\n\n## Next\n| `no` |\n"),
    (dead_links, "docs/a.md", "[here](../Makefile), [there](https://example.org), [part](#a)\n"),
    (unknown_targets, "a.md", "We make nonsense.\n\n```\nmake setup check # All.\n```\n"),
]


@pytest.mark.parametrize(("check", "path", "text", "line"), BITES)
def test_a_check_bites(check, path, text, line):
    (finding,) = check(path, text)
    assert finding.startswith(f"{path}:{line}: ")
    assert re.search(r"\. [A-Z].*\.$", finding), "It says what is wrong, and what to do."


@pytest.mark.parametrize(("check", "path", "text"), SPARES)
def test_a_check_spares_what_is_right(check, path, text):
    assert list(check(path, text)) == []


def test_every_check_is_shown_to_bite():
    assert {check for check, *_ in BITES} == set(CHECKS)
    assert {check for check, *_ in SPARES} == set(CHECKS)
