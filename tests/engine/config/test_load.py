"""Configuration files, standard input and the command line: what redis-server takes and how it refuses the rest."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.engine.config import ConfigError, load

Start = Callable[..., str]

# Files that redis-server refuses; aikv has to name the same line and reason.
BAD_FILES = [
    "foo bar\n",
    "# x\n\nport a\n",
    "port x",
    "port\n",
    "port 1 2\n",
    'port ""\n',
    '"port" x\n',
    '""\n',
    '"" x\n',
    "  PoRT   70000  \r\n",
    "maxmemory x\n",
    "appendonly maybe\n",
    "appendfsync sometimes\n",
    "save 60\n",
    "save 1 2 3\n",
    'save "60 1 2"\n',
    'save ""\nport x\n',
    'bind "abc\n',
    "bind 'abc'd\n",
    "include\n",
    "rename-command GET\n",
    "user\n",
    "loadmodule\n",
    "foo.bar\n",
    "sentinel x y\n",
    "dir\n",
    "dir /nonexistent\n",
    "replicaof a\n",
    "replicaof a 99999\n",
    "notify-keyspace-events q\n",
    "oom-score-adj-values 1 2\n",
    "client-output-buffer-limit normal 0 0\n",
    "latency-tracking-info-percentiles a\n",
    "shutdown-on-sigint save nosave\n",
    "unixsocketperm 999\n",
    "unixsocketperm 1000\n",
    "databases 0\n",
    "appendfilename a/b\n",
    'appenddirname ""\n',
    "lua-replicate-commands yes\nlist-max-ziplist-value 3\nlist-max-ziplist-entries\n",
]

# Arguments that redis-server refuses, with the line that it makes of them.
BAD_ARGUMENTS = [
    ["--foo"],
    ["-x"],
    ["-port", "1"],
    ["--port"],
    ["--port", "x"],
    ["--port x"],
    ["--port=1"],
    ["--foo=bar"],
    ["--", "port", "x"],
    ["--maxmemory", "1", "2"],
    ["--loglevel", "verbose", "x"],
    ["--loglevel"],
    ["--hz", "5", "-port", "1"],
    ["--hz", "5", "-", "--port", "1"],
    ["--logfile", "--port", "x"],
    ["--logfile", 'a"b', "--port", "x'y"],
    ["--save", "--port", "x"],
    ["--save 1"],
    ["--Save", "1 2 3"],
    ["--replicaof", "a", "b"],
]


def reported(text: str) -> list[str]:
    """The lines of a report that do not depend on the program's name or on how it counts lines."""
    lines = text.strip().split("\n")
    return [line for line in lines if "FATAL CONFIG FILE ERROR" not in line and "Reading the configuration" not in line]


def refusal(arguments: list[str], stdin: bytes | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        load(arguments, stdin)
    return error.value


def conf(folder: Path, content: str, name: str = "test.conf") -> str:
    path = folder / name
    path.write_bytes(content.encode())
    return str(path)


@pytest.mark.parametrize("content", BAD_FILES)
def test_a_bad_file_is_reported_as_by_redis(content: str, tmp_path: Path, start_redis: Start) -> None:
    path = conf(tmp_path, content)
    ours = refusal([path])
    theirs = start_redis([path])
    assert reported(ours.report("0.1.0")) == reported(theirs)
    assert f"Reading the configuration file, at line {ours.line_number}\n" in theirs
    assert ours.file == path


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS, ids=" ".join)
def test_bad_arguments_are_reported_as_by_redis(arguments: list[str], start_redis: Start) -> None:
    ours = refusal(arguments)
    assert reported(ours.report("0.1.0")) == reported(start_redis(arguments))
    assert ours.file == "the command line"


def test_the_report_has_the_shape_that_operators_know(tmp_path: Path) -> None:
    path = conf(tmp_path, "# hello\nport x\n")
    assert refusal([path]).report("1.2.3") == (
        "*** FATAL CONFIG FILE ERROR (aikv 1.2.3) ***\n"
        f"Reading the configuration file, at line 2 of {path}\n"
        ">>> 'port x'\n"
        "argument couldn't be parsed into an integer"
    )


def test_a_log_that_cannot_be_written_is_reported_as_by_redis(start_redis: Start) -> None:
    arguments = ["--logfile", "/nonexistent/x"]
    assert reported(refusal(arguments).report("1")) == reported(start_redis(arguments))


@pytest.mark.parametrize("name", ["nothing.conf", "."])
def test_a_file_that_cannot_be_read_stops_the_start(name: str, tmp_path: Path) -> None:
    assert refusal([str(tmp_path / name)]).reason.startswith(
        f"can't open config file '{tmp_path / name}': ".rstrip(".")
    )


def test_standard_input_comes_after_the_file_and_options_after_both(tmp_path: Path) -> None:
    path = conf(tmp_path, "hz 1\ntimeout 1\nport 1\n")
    config = load([path, "--port", "3", "-"], b"timeout 2\nport 2\n")
    assert (config.get_int("hz"), config.get_int("timeout"), config.get_int("port")) == (1, 2, 3)
    assert config.file == path


def test_standard_input_alone_is_no_file_to_rewrite() -> None:
    config = load(["-"], b"port 7\n")
    assert (config.get_int("port"), config.file) == (7, "")
    assert refusal(["-"], b"\nport x").file == "standard input"


def test_a_relative_file_name_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf(tmp_path, "port 7\n")
    monkeypatch.chdir(tmp_path)
    assert load(["test.conf"]).file == str(tmp_path / "test.conf")


@pytest.mark.parametrize(
    ("content", "arguments", "points"),
    [
        ("hz 10\n", [], [(3600, 1), (300, 100), (60, 10000)]),
        ("save 60 1\n", ["--save", "100", "2"], [(60, 1), (100, 2)]),
        ("save 60 1\n", ["--save", ""], []),
        ("save 60 1\n", ["--save"], []),
        ("save 60 1\n", ["--save", "--hz", "5"], []),
        ("", ["--save", "100", "2", "--SAVE", "300", "3"], [(100, 2), (300, 3)]),
        ("", ["--save", "1", "2", "3", "4"], [(1, 2), (3, 4)]),
        ("", ["--save 1 2"], [(1, 2)]),
        ("", ["--save", "60  1 "], [(60, 1)]),
        ("", ["--save", "60 1 300 10"], [(60, 1), (300, 10)]),
        ('save "60 1"\n', ["--save", "300 10"], [(60, 1), (300, 10)]),
        ('save 5 5\nsave ""\nsave 6 6\n', [], [(6, 6)]),
        ('save ""\nsave 5 5\n', [], [(5, 5)]),
    ],
)
def test_save_points_add_up_and_an_empty_one_clears(
    content: str, arguments: list[str], points: list[tuple[int, int]], tmp_path: Path
) -> None:
    assert load([conf(tmp_path, content), *arguments]).save_points == points


def test_limits_of_client_classes_add_up() -> None:
    lines = b"client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit replica 4 5 6\n"
    text = load(["-"], lines).get_str("client-output-buffer-limit")
    assert text == "normal 1 2 3 slave 4 5 6 pubsub 33554432 8388608 60"


def test_an_option_without_a_value_takes_the_next_argument_whatever_it_is() -> None:
    config = load(["--requirepass", "--port", "--port", "7"])
    assert (config.get_str("requirepass"), config.get_int("port")) == ("--port", 7)


def test_arguments_keep_every_byte() -> None:
    config = load(["--requirepass", "a b\"'\\x41\n", "--logfile", ""])
    assert config.get_bytes("requirepass") == b"a b\"'\\x41\n"


def test_a_relative_dir_is_made_absolute_without_changing_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    config = load(["--dir", "data", "--dir", "deep"])
    assert config.get_str("dir") == str(tmp_path / "data" / "deep")
    assert Path.cwd() == tmp_path


def test_include_stands_for_the_lines_of_its_file_and_starts_at_dir(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    conf(tmp_path / "sub", "hz 33\nport 1\n", "inc.conf")
    path = conf(tmp_path, f"port 2\ndir {tmp_path / 'sub'}\ninclude inc.conf\nhz 34\n")
    config = load([path])
    assert (config.get_int("hz"), config.get_int("port")) == (34, 1)


def test_include_takes_a_pattern_in_the_order_of_names_and_it_may_match_nothing(tmp_path: Path) -> None:
    for number in (2, 1, 3):
        conf(tmp_path, f"hz {number}\nsave {number} {number}\n", f"{number}.inc")
    config = load([conf(tmp_path, f"include {tmp_path}/[12].inc\ninclude {tmp_path}/nothing*\n")])
    assert config.get_int("hz") == 2
    assert config.save_points == [(1, 1), (2, 2)]


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    inner = conf(tmp_path, "\nport x\n", "inner.conf")
    error = refusal([conf(tmp_path, f"include {inner}\n")])
    assert (error.file, error.line_number, error.line) == (inner, 2, "port x")


def test_a_missing_include_names_the_line_that_wants_it(tmp_path: Path) -> None:
    outer = conf(tmp_path, f"hz 1\ninclude {tmp_path}/nothing.conf\n")
    error = refusal([outer])
    assert (error.file, error.line_number) == (outer, 2)
    assert error.reason == f"can't open config file '{tmp_path}/nothing.conf': No such file or directory"


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    assert refusal([conf(tmp_path, f"include {tmp_path}/test.conf\n")]).reason == (
        "include is nested more than 16 files deep"
    )


def test_renamed_commands_are_kept_with_their_place(tmp_path: Path) -> None:
    path = conf(tmp_path, '\nrename-command FLUSHALL ""\nRENAME-COMMAND get fetch\n')
    first, second = load([path]).rename_commands
    assert (first.command, first.target, second.command, second.target) == (b"FLUSHALL", b"", b"get", b"fetch")
    error = second.error("No such command in rename-command")
    assert (error.file, error.line_number, error.line) == (path, 3, "RENAME-COMMAND get fetch")


@pytest.mark.parametrize("line", ["loadmodule /x.so a b", "module.setting 1"])
def test_modules_are_refused(line: str) -> None:
    assert refusal(["-"], line.encode()).reason == "aikv does not support modules yet"


def test_user_lines_are_kept_for_whoever_keeps_the_users() -> None:
    users = load(["-"], b"user bob on >x (~a +get)\nport 1\nuser ann\n").users
    assert [(user.name, user.rules) for user in users] == [(b"bob", [b"on", b">x", b"(~a", b"+get)"]), (b"ann", [])]
    error = users[1].error("wrong")
    assert (error.reason, error.file, error.line_number, error.line) == (
        "wrong",
        "standard input",
        3,
        "user (redacted)",
    )


def test_a_user_is_declared_once() -> None:
    error = refusal(["-"], b"user bob on\nuser bob off")
    assert (error.line_number, error.line) == (2, "user (redacted)")
    assert error.reason == (
        "Error in user declaration 'bob': Duplicate user found. A user can only be defined once in config files"
    )


def test_the_stock_file_of_redis_loads() -> None:
    stock = Path("/etc/redis/redis.conf")
    if not stock.exists():
        pytest.skip("redis-server's redis.conf is not installed")
    lines = stock.read_bytes().split(b"\n")
    # These name folders that exist where the service runs.
    kept = b"\n".join([line for line in lines if not line.startswith((b"dir ", b"logfile "))])
    assert load(["-"], kept).get_int("databases") == 16


@pytest.mark.parametrize(
    "line",
    [
        "requirepass SECRET more",
        "REQUIREPASS 'SECRET",
        '"requirepass" "SECRET" x',
        "masterauth SECRET x",
        "tls-key-file-pass SECRET x",
        "requirepas SECRET",
        "masterauht=SECRET",
        "requirepass=SECRET",
        "port 1 requirepass SECRET",
        "user 'bob SECRET",
    ],
)
def test_a_secret_is_in_no_error(line: str) -> None:
    for error in (refusal(["-"], line.encode()), refusal([f"--{line}"])):
        assert "SECRET" not in error.report("1") + str(error) + repr(error)


@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(content: bytes) -> None:
    if b"include" in content.lower() or b"logfile" in content.lower():
        return
    try:
        config = load(["-"], content)
    except ConfigError as error:
        if not error.reason:
            raise
    else:
        assert config.get_int("port") >= 0


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=4))
def test_the_value_of_an_option_arrives_unchanged(words: list[str]) -> None:
    arguments = [argument for word in words for argument in ("--requirepass", word)]
    config = load(arguments)
    assert config.get_str("requirepass") == (words[-1] if words else "")
