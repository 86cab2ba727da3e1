"""What is shown of a build."""

import io

import pytest

from tools import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_packages_are_counted_apart_from_messages(tmp_path):
    log = tmp_path / "log"
    log.write_text("go: downloading x v1\na/b\nc\n\tfile.go:1: oh\nd/e\n", encoding="utf-8")
    assert progress.packages(log) == 3


@pytest.mark.parametrize(
    ("stream", "shown"),
    [
        (io.StringIO(), "a: building\na: built\n"),
        (Terminal(), "a: building\r\x1b[Ka: built\n"),
    ],
)
def test_only_a_terminal_has_its_line_replaced(stream, shown, tmp_path):
    class Ended:
        def wait(self, _):
            return 0

    told = progress.Progress(stream)
    told.follow(Ended(), "a", tmp_path)
    told.line("a: built")
    assert stream.getvalue() == shown
