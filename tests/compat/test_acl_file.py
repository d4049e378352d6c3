"""Users in files: `user` lines, the ACL file, CONFIG REWRITE, and starts that fail, as redis-server does it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from compat.test_acl import ask, ended, login
from conftest import StartServer
from oracle.process import AIKV, REDIS, VOLATILE, ServerProcess, free_port, redis_missing

BAD = [
    "user bob on +nosuch ~a +@no\n",
    "user bob on >x xx ~* ~a #12\nfoo\nuser\nuser  bob\n\nuser bob on\n",
    "user bob on\n# a comment\nuser alice on\tnopass\n",
    'user bob on "~a"\nuser default on >p +@all\n',
    "user bob on\nuser bob off\nuser BOB on\nuser eve !abc <x\n",
    "USER bob on\n",
]
ABORTING = "Aborting Redis startup because of ACL errors: "
GOOD = (
    "user bob on >secret ~a* %R~b resetchannels &c -@all +get\r\n\n user default on nopass sanitize-payload ~* &* +@all"
)


@pytest.fixture(params=[REDIS, AIKV], ids=["oracle", "aikv"])
def program(request: pytest.FixtureRequest) -> Sequence[str]:
    """Each of both programs: what is asserted of aikv holds for redis-server."""
    chosen: Sequence[str] = request.param
    if chosen is REDIS and redis_missing():
        pytest.skip(str(redis_missing()))
    return chosen


def refused(program: Sequence[str], folder: Path, *arguments: str) -> str:
    """Start a server that must end with exit status 1; returns what it said."""
    done = subprocess.run(
        [*program, "--port", str(free_port()), "--bind", "127.0.0.1", "--dir", str(folder), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return said


def reason(said: str) -> str:
    """Return why a start was given up."""
    (line,) = [line for line in said.splitlines() if ABORTING in line]
    return line.partition(ABORTING)[2]


@pytest.mark.skipif(redis_missing() is not None, reason="there is no oracle")
@pytest.mark.parametrize("content", BAD)
def test_a_bad_file_stops_the_start_in_the_oracles_words(content: str, tmp_path: Path) -> None:
    (tmp_path / "users.acl").write_text(content)
    said = [reason(refused(program, tmp_path, "--aclfile", "users.acl")) for program in (REDIS, AIKV)]
    assert said[1] == said[0]
    assert (tmp_path / "users.acl").read_text() == content


def test_a_selector_that_does_not_end_stops_the_start(tmp_path: Path) -> None:
    """The oracle crashes: it goes on to apply rules that it has not got."""
    (tmp_path / "users.acl").write_text("user al on ( +get ) (+nosuch\n")
    said = reason(refused(AIKV, tmp_path, "--aclfile", "users.acl"))
    assert said.startswith("users.acl:1: Unmatched parenthesis in selector definition.WARNING")


def test_a_file_that_is_not_there_stops_the_start(program: Sequence[str], tmp_path: Path) -> None:
    said = reason(refused(program, tmp_path, "--aclfile", "nosuch.acl"))
    assert said == "Error loading ACLs, opening file 'nosuch.acl': No such file or directory"


def test_users_stand_in_one_place_only(program: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / "users.acl").write_text("")
    said = refused(program, tmp_path, "--aclfile", "users.acl", "--user", "bob", "on")
    assert "please define either an ACL file or declare users directly in your redis.conf, but not both." in said


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (["bob", "+nosuch"], "Error loading ACL rule '+nosuch' for the user named 'bob': Unknown command or category"),
        (["bob", "on", "SECRET"], "Error in user declaration 'bob': Syntax error"),
    ],
)
def test_a_bad_user_line_stops_the_start(
    rules: list[str], message: str, program: Sequence[str], tmp_path: Path
) -> None:
    assert message in refused(program, tmp_path, "--user", *rules)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (["bob", "(~a"], "Unmatched parenthesis in acl selector starting at '(~a'."),
        (["bob", "<SECRET"], "Error in user declaration 'bob': The password you are trying to remove"),
        (["a b", "on"], "Spaces not allowed in ACL usernames"),
    ],
)
def test_a_bad_user_line_is_told_without_what_may_be_secret(rules: list[str], message: str, tmp_path: Path) -> None:
    said = refused(AIKV, tmp_path, "--user", *rules)
    assert message in said
    assert "user (redacted)" in said
    assert "SECRET" not in said


def with_file(start_server: StartServer, program: Sequence[str], folder: Path, content: str) -> ServerProcess:
    """Start a server that has an ACL file."""
    folder.mkdir(exist_ok=True)
    (folder / "users.acl").write_text(content)
    return start_server(program, *VOLATILE, "--aclfile", "users.acl", name=folder.name)


def test_users_are_loaded_saved_and_found_again(
    program: Sequence[str], start_server: StartServer, tmp_path: Path
) -> None:
    server = with_file(start_server, program, tmp_path / "acl", GOOD)
    path = tmp_path / "acl" / "users.acl"
    path.chmod(0o640)
    with server.connect() as admin:
        assert ask(admin, "ACL", "USERS") == ["bob", "default"]
        assert ask(admin, "AUTH", "bob", "secret") == "OK"
        assert ask(admin, "GET", "a1") is None
        admin.command("RESET")
        admin.command("ACL", "SETUSER", "eve", "reset", "nopass", "%W~x", "+@read", "(~y +set)")
        admin.command("ACL", "SETUSER", "bob", "sanitize-payload")
        assert path.read_bytes() == GOOD.encode()
        assert ask(admin, "ACL", "SAVE") == "OK"
        listed = ask(admin, "ACL", "LIST")
    digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
    assert path.read_text().splitlines() == listed
    assert listed == [
        f"user bob on sanitize-payload #{digest} ~a* %R~b resetchannels &c -@all +get",
        "user default on nopass sanitize-payload ~* &* +@all",
        "user eve off nopass sanitize-payload %W~x resetchannels -@all +@read (~y resetchannels -@all +set)",
    ]
    assert [found.name for found in path.parent.iterdir() if "tmp" in found.name] == []
    server.restart()
    with server.connect() as admin:
        assert ask(admin, "ACL", "LIST") == listed


def test_a_bad_file_changes_nothing(program: Sequence[str], start_server: StartServer, tmp_path: Path) -> None:
    server = with_file(start_server, program, tmp_path / "acl", GOOD)
    with server.connect() as admin, server.connect() as bob:
        bob.command("AUTH", "bob", "secret")
        listed = ask(admin, "ACL", "LIST")
        (tmp_path / "acl" / "users.acl").write_text("user eve on\nuser bob nonsense\n")
        assert str(ask(admin, "ACL", "LOAD")) == (
            "ERR users.acl:2: Syntax error. WARNING: ACL errors detected, no change to the previously active ACL rules "
            "was performed"
        )
        assert ask(admin, "ACL", "LIST") == listed
        assert ask(bob, "GET", "a") is None
        (tmp_path / "acl" / "users.acl").unlink()
        assert str(ask(admin, "ACL", "LOAD")) == (
            "ERR Error loading ACLs, opening file 'users.acl': No such file or directory"
        )
        assert ask(admin, "ACL", "LIST") == listed


def test_loading_ends_the_clients_of_all_users_but_the_default_one(
    program: Sequence[str], start_server: StartServer, tmp_path: Path
) -> None:
    server = with_file(start_server, program, tmp_path / "acl", "user u on nopass +@all\nuser v on nopass +@all\n")
    with server.connect() as admin, login(server, "u") as client, login(server, "v") as gone:
        (tmp_path / "acl" / "users.acl").write_text("user u on nopass +get\nuser default on nopass +@all -get ~*\n")
        assert ask(admin, "ACL", "LOAD") == "OK"
        assert ended(client)
        assert ended(gone)
        assert ask(admin, "ACL", "USERS") == ["default", "u"]
        assert str(ask(admin, "GET", "a")).startswith("NOPERM")
        (tmp_path / "acl" / "users.acl").write_text("user u on nopass +@all\n")
        with login(server, "u") as client:
            assert str(ask(admin, "ACL", "LOAD")) == "OK"
            assert ended(client)
        assert ask(admin, "GET", "a") is None
        with login(server, "u") as client:
            client.send("ACL", "LOAD")
            client.send("PING")
            assert client.read_until_closed() == b"+OK\r\n"


def test_saving_without_a_place_to_save_to_is_refused(
    program: Sequence[str], start_server: StartServer, tmp_path: Path
) -> None:
    server = with_file(start_server, program, tmp_path / "acl", "user u on\n")
    path = tmp_path / "acl" / "users.acl"
    path.unlink()
    path.mkdir()
    with server.connect() as admin:
        assert str(ask(admin, "ACL", "SAVE")) == (
            "ERR There was an error trying to save the ACLs. Please check the server logs for more information"
        )
    assert [found.name for found in path.parent.iterdir() if "tmp" in found.name] == []


def test_the_file_wins_over_requirepass(program: Sequence[str], start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "acl").mkdir()
    (tmp_path / "acl" / "users.acl").write_text("user default on >fromfile ~* &* +@all\n")
    server = start_server(program, *VOLATILE, "--aclfile", "users.acl", "--requirepass", "word", name="acl")
    with server.connect() as client:
        assert str(ask(client, "AUTH", "word")).startswith("WRONGPASS")
        assert ask(client, "AUTH", "fromfile") == "OK"


CONF = """requirepass word
user bob on sanitize-payload >x ~a +get
# between
user carl off sanitize-payload
user default on sanitize-payload >key ~* &* +@all
"""


def test_a_rewritten_configuration_has_all_users(
    program: Sequence[str], start_server: StartServer, tmp_path: Path
) -> None:
    conf = tmp_path / "server.conf"
    conf.write_text(CONF)
    server = start_server((*program, str(conf)), *VOLATILE)
    with server.connect() as admin:
        assert ask(admin, "AUTH", "key") == "OK"
        admin.command("ACL", "DELUSER", "carl")
        assert ask(admin, "CONFIG", "REWRITE") == "OK"
        listed = ask(admin, "ACL", "LIST")
        assert [line for line in conf.read_text().splitlines() if line][:4] == [
            'requirepass "word"',
            listed[0],
            "# between",
            listed[1],
        ]
        admin.command("ACL", "SETUSER", "ann", "sanitize-payload", "%R~z")
        admin.command("ACL", "SETUSER", "zoe", "sanitize-payload", "(+get)")
        assert ask(admin, "CONFIG", "REWRITE") == "OK"
        listed = ask(admin, "ACL", "LIST")
    assert [line for line in conf.read_text().splitlines() if line.startswith("user ")] == listed
    server.restart()
    with server.connect() as admin:
        assert ask(admin, "AUTH", "key") == "OK"
        assert ask(admin, "ACL", "LIST") == listed


def test_where_there_is_a_file_a_rewritten_configuration_has_no_users(
    program: Sequence[str], start_server: StartServer, tmp_path: Path
) -> None:
    (tmp_path / "users.acl").write_text("user bob on\n")
    conf = tmp_path / "server.conf"
    conf.write_text(f"maxclients 100\naclfile {tmp_path}/users.acl\n")
    server = start_server((*program, str(conf)), *VOLATILE)
    with server.connect() as admin:
        assert ask(admin, "CONFIG", "REWRITE") == "OK"
    assert "\nuser " not in conf.read_text()


def test_quotes_in_a_rule_survive_a_rewrite(start_server: StartServer, tmp_path: Path) -> None:
    """The oracle writes what it then refuses to read."""
    conf = tmp_path / "server.conf"
    conf.write_text("")
    server = start_server((*AIKV, str(conf)), *VOLATILE)
    with server.connect() as admin:
        admin.command("ACL", "SETUSER", "bob", "~it's", '&"', "~a\\b")
        assert ask(admin, "CONFIG", "REWRITE") == "OK"
        listed = ask(admin, "ACL", "LIST")
    server.restart()
    with server.connect() as admin:
        assert ask(admin, "ACL", "LIST") == listed


def test_a_disabled_user_of_the_configuration_is_mentioned(
    program: Sequence[str], start_server: StartServer, tmp_path: Path
) -> None:
    conf = tmp_path / "server.conf"
    conf.write_text("user bob nopass\n")
    server = start_server((*program, str(conf)), *VOLATILE)
    assert "The user 'bob' is disabled (there is no 'on' modifier in the user description)." in server.log()
