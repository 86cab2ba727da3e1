"""The command ``fakecloud``: wrong options and full disks are told in a sentence, not a trace."""

import pathlib
import socket

import click.testing
import pytest

from fakecloud import ApiError, FakeCloud, cli


@pytest.fixture(name="run")
def _run(monkeypatch):
    """Run the command with options; a server that starts gets ``stop`` called at once."""

    async def stop(http):
        await http.stop()

    monkeypatch.setattr(cli, "_serve", stop)
    monkeypatch.setattr(cli.gc, "freeze", lambda: None)
    monkeypatch.setattr(cli.gc, "set_threshold", lambda *_: None)

    def run(*options, **environment):
        result = click.testing.CliRunner(env=environment).invoke(cli.main, ["--port=0", *options])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    return run


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port=99999"], "not in the range"),
        (["--rate=-1"], "Use 0 or more"),
        (["--rate=nan"], "Use 0 or more"),
        (["--region=mars"], "knows only"),
        (["--account=mine"], "Use 12 digits"),
        (["--state=/no/such/folder/state.json"], "could not be saved in /no/such/folder"),
    ],
)
def test_a_wrong_option_is_refused(run, options, said):
    code, output = run(*options)
    assert (code != 0, said in output) == (True, True), output


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 9}', '{"version": 1}'])
def test_a_bad_state_is_refused_and_left_alone(run, tmp_path, content):
    path = tmp_path / "state.json"
    path.write_text(content)
    code, output = run(f"--state={path}")
    assert (code, f"{path} cannot be loaded" in output) == (1, True), output
    assert path.read_text() == content


def test_a_taken_port_leaves_the_state_alone(run, tmp_path):
    path = tmp_path / "state.json"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, output = run(f"--port={taken.getsockname()[1]}", f"--state={path}")
    assert (code, "Choose another one" in output) == (1, True), output
    assert not path.exists()


def test_the_state_is_saved_and_found_again(run, tmp_path):
    path = tmp_path / "state.json"
    assert run(f"--state={path}", "--rate=0")[0] == 0
    first = path.read_bytes()
    assert run(f"--state={path}", "--rate=0")[0] == 0
    assert path.read_bytes() == first


def test_a_full_disk_is_told_and_the_former_state_stays(run, tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    run(f"--state={path}", "--rate=0")
    first = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", fail)
    code, output = run(f"--state={path}")
    assert (code, "No space left on device. The file is as it was" in output) == (1, True), output
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_the_login_comes_from_the_environment(run):
    _, output = run(OSC_LOGIN="me@example.com", OSC_PASSWORD="secret", OSC_ACCESS_KEY="MINE")
    assert "access key MINE, login me@example.com" in output
    cloud = FakeCloud(login="me@example.com", password="secret")
    cloud.call("CheckAuthentication", Login="me@example.com", Password="secret")
    with pytest.raises(ApiError):
        cloud.call("CheckAuthentication", Login="me@example.com", Password="wrong")
