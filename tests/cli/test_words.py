"""What the command line says, and what it makes of a configuration that cannot be used."""

import subprocess
from pathlib import Path

import pytest

from aikv.base.version import VERSION
from cli.running import run
from oracle.process import REDIS, redis_missing


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_shows_how_to_begin(word: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, word)
    assert status == 0
    for what in ("Usage: aikv [CONF] [--DIRECTIVE VALUE ...]", "--appendonly yes", "check-rdb", "check-aof"):
        assert what in said


@pytest.mark.parametrize("word", ["--version", "-v"])
def test_the_version_says_in_which_form_it_runs(word: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, word)
    assert status == 0
    assert said.startswith(f"aikv {VERSION} (")
    assert "compiled form" in said or "pure form" in said
    assert "Redis 7.2" in said


@pytest.mark.parametrize("tool", ["check-rdb", "check-aof"])
def test_every_tool_has_help(tool: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, tool, "--help")
    assert status == 0
    assert said.startswith(f"Usage: aikv {tool} ")


BAD = [
    (["--nosuch", "1"], "Bad directive or wrong number of arguments"),
    (["--port", "99999"], "argument must be between 0 and 65535 inclusive"),
    (["--port"], "wrong number of arguments"),
    (["--maxclients", "none"], "argument couldn't be parsed into an integer"),
    (["--appendfsync", "sometimes"], "argument(s) must be one of the following: everysec, always, no"),
    (["--save", "60"], "Invalid save parameters"),
    (["--appendonly", "maybe"], "argument must be 'yes' or 'no'"),
]


@pytest.mark.parametrize(("arguments", "reason"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_a_bad_option_ends_the_start_with_its_reason(arguments: list[str], reason: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, *arguments)
    assert status == 1
    assert "*** FATAL CONFIG FILE ERROR (aikv " in said
    assert ">>> '" + arguments[0].removeprefix("--") in said
    assert reason in said
    if redis_missing() is None:
        theirs = subprocess.run([*REDIS, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert theirs.returncode == 1
        assert reason in theirs.stdout + theirs.stderr


def test_a_bad_line_is_named_with_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "aikv.conf"
    path.write_text("# a comment\nport 0\n\nmaxmemory 12 potatoes\n")
    status, said = run(tmp_path, str(path))
    assert status == 1
    assert f"at line 4 of {path}\n>>> 'maxmemory 12 potatoes'\n" in said


def test_a_bad_line_of_an_included_file_is_named_there(tmp_path: Path) -> None:
    (tmp_path / "inner.conf").write_text('save "60\n')
    path = tmp_path / "outer.conf"
    path.write_text(f"port 0\ninclude {tmp_path}/inner.conf\n")
    status, said = run(tmp_path, str(path))
    assert status == 1
    assert f"at line 1 of {tmp_path}/inner.conf\n>>> 'save \"60'\nUnbalanced quotes in configuration line" in said


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "aikv.conf"
    path.write_text("requirepass very secret\n")
    status, said = run(tmp_path, str(path))
    assert status == 1
    assert "requirepass" in said
    assert "very" not in said


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    status, said = run(tmp_path, "/nowhere/aikv.conf")
    assert status == 1
    assert "can't open config file '/nowhere/aikv.conf': No such file or directory" in said


def test_a_bad_line_of_standard_input_is_named(tmp_path: Path) -> None:
    status, said = run(tmp_path, "-", stdin="port 0\nport zero\n")
    assert status == 1
    assert "at line 2 of standard input\n>>> 'port zero'\n" in said


def test_a_log_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    status, said = run(tmp_path, "--port", "0", "--logfile", "/nowhere/aikv.log")
    assert status == 1
    assert "Can't open the log file: No such file or directory" in said
