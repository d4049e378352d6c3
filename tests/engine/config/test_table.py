"""The table of directives: complete, consistent, equal to redis-server's, and the source of conf/aikv.conf."""

from pathlib import Path

import pytest

from aikv.base.errors import CommandError
from aikv.engine.config import Config, ConfigError, load
from aikv.engine.config.conf_file import conf_file
from aikv.engine.config.directive import HIDDEN, IMMUTABLE, Directive
from aikv.engine.config.directives import BY_NAME, DIRECTIVES
from engine.config.conftest import RedisConfig

CONF = Path(__file__).parents[3] / "conf" / "aikv.conf"

# How the redis-server of these tests was started, and what its executable decides.
STARTED_WITH = {"port", "bind", "dir", "enable-protected-configs"}

# A value for each directive that aikv accepts at its default only.
REFUSED = {
    "socket-mark-id": "5",
    "tls-port": "6380",
    "tls-replication": "yes",
    "tls-cluster": "yes",
    "supervised": "upstart",
    "enable-module-command": "local",
    "maxmemory": "100mb",
    "maxmemory-policy": "allkeys-lru",
    "maxmemory-clients": "5%",
    "replicaof": "127.0.0.1 6380",
    "min-replicas-to-write": "1",
    "propagation-error-behavior": "panic",
    "cluster-enabled": "yes",
    "oom-score-adj": "relative",
    "activedefrag": "yes",
}

every_directive = pytest.mark.parametrize("directive", DIRECTIVES, ids=lambda directive: directive.name)


def test_the_committed_configuration_file_is_the_generated_one() -> None:
    assert CONF.read_bytes() == conf_file(), "run: python -m aikv.engine.config > conf/aikv.conf"


def test_the_committed_configuration_file_listens_on_loopback_and_keeps_data_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    config = load([str(CONF)])
    assert config.bind == ["127.0.0.1", "-::1"]
    assert config.get_int("port") == 6379
    assert config.get_str("dir") == str(tmp_path / "data")
    assert config.save_points == [(3600, 1), (300, 100), (60, 10000)]


def test_every_commented_default_of_the_configuration_file_can_be_uncommented(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    lines = conf_file().decode().replace("./data", str(tmp_path / "data")).split("\n")
    conf = tmp_path / "all.conf"
    conf.write_text("\n".join(line[1:] if line[:1] == "#" and line[1:2].isalpha() else line for line in lines))
    config = load([str(conf)])
    changed = {name for name, text in config.match([b"*"]) if text != BY_NAME[name.decode()].default}
    assert changed == {b"bind", b"dir"}


def test_names_and_aliases_are_unique() -> None:
    assert len(BY_NAME) == sum(2 if directive.alias else 1 for directive in DIRECTIVES)


@every_directive
def test_a_default_is_its_own_canonical_text(directive: Directive) -> None:
    if directive.name in ("dir", "replicaof"):
        assert directive.default == b""
        return
    args = directive.default.split(b" ") if directive.kind.multi else [directive.default]
    current = b"" if directive.kind.accumulates else directive.default
    assert directive.check(args, current) == directive.default


@every_directive
def test_a_summary_is_a_sentence(directive: Directive) -> None:
    assert directive.summary[0].isupper() or directive.summary.startswith("aikv")
    assert directive.summary.endswith(".")


def test_every_directive_of_redis_is_there_with_its_default(redis_config: RedisConfig) -> None:
    theirs = redis_config.get("*")
    ours = dict(Config().match([b"*"]))
    assert set(theirs) - {name.decode() for name in ours} == set()
    differing = {name for name, value in theirs.items() if ours[name.encode()].decode() != value}
    assert differing <= STARTED_WITH


def test_what_redis_7_0_does_not_have_came_with_7_2_or_is_our_own(redis_config: RedisConfig) -> None:
    theirs = redis_config.get("*")
    assert {name.decode() for name, _ in Config().match([b"*"])} - set(theirs) == {
        "set-max-listpack-entries",
        "set-max-listpack-value",
        "locale-collate",
        "cluster-announce-human-nodename",
        "server-cpulist",
        "bio-cpulist",
        "aof-rewrite-cpulist",
        "bgsave-cpulist",
        "aikv-aof-history-seconds",
    }


def test_hidden_directives_are_those_of_redis(redis_config: RedisConfig) -> None:
    hidden = [directive.name for directive in DIRECTIVES if directive.flags & HIDDEN]
    for name in hidden:
        assert redis_config.get(name) == {name: BY_NAME[name].default.decode()}


def test_every_missing_feature_has_a_value_that_is_refused() -> None:
    assert {directive.name for directive in DIRECTIVES if directive.needs} == set(REFUSED)


@pytest.mark.parametrize(("name", "value"), REFUSED.items())
def test_a_value_that_needs_a_missing_feature_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^the command line:1: .*aikv does not support {BY_NAME[name].needs} yet$"):
        load([f"--{name}", *value.split()])


@pytest.mark.parametrize(("name", "value"), REFUSED.items())
def test_a_value_that_needs_a_missing_feature_is_refused_by_config_set(name: str, value: str) -> None:
    config = Config()
    reason = f"does not support {BY_NAME[name].needs} yet"
    if BY_NAME[name].flags & IMMUTABLE:
        reason = "can't set immutable config"
    with pytest.raises(CommandError) as error:
        config.set_many([(name.encode(), value.encode())])
    assert error.value.text.decode().endswith(reason)
    assert config.get_bytes(name) == BY_NAME[name].default


def test_directives_that_only_look_supported_say_so_in_the_file() -> None:
    text = conf_file().decode()
    for directive in DIRECTIVES:
        if not directive.acts and not directive.flags & HIDDEN:
            entry = text[: text.index(f"\n#{directive.name} ")].rsplit("\n\n", 1)[1].replace("\n# ", " ")
            assert "without effect in aikv" in entry or "does not support" in entry
