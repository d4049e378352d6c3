"""CONFIG SET: redis-server's texts, all or nothing, hooks and their rollback."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import CommandError
from aikv.engine.config import Config, ConfigError, InvalidValue
from aikv.engine.config.directives import BY_NAME
from engine.config.conftest import RedisConfig, Refused

# Every one is refused by redis-server, and aikv has to refuse it with the same text.
BAD = [
    "nothing|1",
    "foo|1|daemonize|no",
    "daemonize|no|foo|1",
    "new\nline|1",
    "port|1|port|2",
    "PORT|1|port|2",
    "Daemonize|yes",
    "slaveof|a 1",
    "port|x",
    "port|70000",
    "port|",
    "port| 1",
    "hz|-1",
    "Slave-priority|-1",
    "list-max-listpack-size|01",
    "list-max-listpack-size|99999999999",
    "busy-reply-threshold|99999999999999999999",
    "lfu-log-factor|3%",
    "slowlog-max-len|-1",
    "slowlog-log-slower-than|-2",
    "maxclients|0",
    "maxclients|4294967296",
    "hash-max-listpack-entries|-1",
    "active-defrag-cycle-min|0",
    "maxmemory|-1",
    "maxmemory|1.5kb",
    "maxmemory|5%",
    "maxmemory|10KiB",
    "repl-backlog-size|0",
    "repl-backlog-size|9223372036854775808",
    "proto-max-bulk-len|1",
    "maxmemory-clients|x",
    "maxmemory-clients|%",
    "maxmemory-clients|150%",
    "appendonly|maybe",
    "APPENDONLY|maybe",
    "appendfsync|foo",
    "loglevel|",
    "loglevel|loud",
    "maxmemory-policy|lru",
    "repl-diskless-load|x",
    "oom-score-adj|x",
    "acl-pubsub-default|x",
    "sanitize-dump-payload|x",
    "propagation-error-behavior|x",
    "cluster-preferred-endpoint-type|x",
    "tls-auth-clients|x",
    "repl-timeout|1|maxmemory-policy|foo|hz|1",
    "save|60",
    "save|60 1 300",
    "save|60  1",
    "save| 60 1",
    "save|0 1",
    "save|60 -1",
    "save|a b",
    "client-output-buffer-limit|normal 1 2",
    "client-output-buffer-limit|master 1 2 3",
    "client-output-buffer-limit|normal 1 2 -3",
    "client-output-buffer-limit|normal x 2 3",
    "oom-score-adj-values|",
    "oom-score-adj-values|1 2",
    "oom-score-adj-values|1 2 5000",
    "latency-tracking-info-percentiles|a",
    "latency-tracking-info-percentiles|1 101",
    "latency-tracking-info-percentiles|-1",
    "shutdown-on-sigint|",
    "shutdown-on-sigint|x",
    "shutdown-on-sigterm|now save nosave",
    "notify-keyspace-events|q",
    "bind|a b c d e f g h i j k l m n o p q",
    "cluster-announce-hostname|a_b",
    "cluster-announce-hostname|" + "a" * 256,
    "proc-title-template|",
    "proc-title-template|{title",
    "proc-title-template|{x}",
    "dbfilename|a/b",
    "dir|/nonexistent",
    "dir|/etc/passwd",
    "DIR|",
]

# Accepted by both; the last word is what CONFIG GET then says of the first name.
GOOD = [
    "hz|1000",
    "hz|0",
    "repl-backlog-size|2mb",
    "repl-backlog-size|1K",
    "active-defrag-ignore-bytes|1GB",
    "save|+60 01",
    "save|60 1 300 10",
    "save|",
    "client-output-buffer-limit|replica 1mb 2 3 normal 1k 1kb 0",
    "client-output-buffer-limit|Slave 1b 2 3",
    "client-output-buffer-limit|",
    "oom-score-adj-values|+1 0200 -800",
    "latency-tracking-info-percentiles|99.9 50 0.1234567 1e1",
    "latency-tracking-info-percentiles|",
    "shutdown-on-sigint|FORCE now save",
    "shutdown-on-sigint|default now",
    "shutdown-on-sigterm|default",
    "loglevel|WARNING",
    "appendfsync|ALWAYS",
    "rdbcompression|NO",
    "proc-title-template|{title} {{ {port}} {listen-addr}",
    "cluster-announce-hostname|host-1.example",
    "replica-announce-ip|a b",
    "dbfilename|",
    "hash-max-ziplist-entries|5",
    "timeout|2147483647",
]

EVENTS = ["A", "g", "KEA", "$lsh", "nm", "KEg$", "EAm", "txe", "xEA", "Kn", "g$lshzxetd", ""]


def pairs(case: str) -> list[bytes]:
    return case.encode().split(b"|")


@pytest.mark.parametrize("case", BAD)
def test_a_bad_value_is_refused_with_the_text_of_redis(case: str, redis_config: RedisConfig, refused: Refused) -> None:
    ours = refused(pairs(case))
    assert ours is not None
    assert ours.decode().removeprefix("ERR ") == redis_config.set(pairs(case))


@pytest.mark.parametrize("case", GOOD)
def test_a_good_value_is_answered_as_by_redis(case: str, redis_config: RedisConfig) -> None:
    name, value = pairs(case)
    before = redis_config.get(name.decode())
    assert redis_config.set([name, value]) is None
    theirs = redis_config.get(name.decode())
    redis_config.set([name, before[name.decode()].encode()])
    config = Config()
    config.configure("enable-protected-configs", [b"yes"])
    config.set_many([(name, value)])
    assert {name.decode(): text.decode() for name, text in config.match([name])} == theirs


@pytest.mark.parametrize("letters", EVENTS)
def test_classes_of_keyspace_events_are_written_as_by_redis(letters: str, redis_config: RedisConfig) -> None:
    assert redis_config.set([b"notify-keyspace-events", letters.encode()]) is None
    theirs = redis_config.get("notify-keyspace-events")
    ours = BY_NAME["notify-keyspace-events"].kind.parse([letters.encode()])
    assert theirs == {"notify-keyspace-events": ours.decode()}


@pytest.mark.parametrize(("given", "kept"), [("KEAmn", "AnKEm"), ("g$lshzxetdnKE", "AnKE")])
def test_new_keys_stay_announced_beside_all_others(given: str, kept: str) -> None:
    config = Config()
    config.set_many([(b"notify-keyspace-events", given.encode())])
    assert config.get_str("notify-keyspace-events") == kept


@pytest.mark.parametrize("value", [b"", b"kb", b"18446744073709551616x"])
def test_a_size_has_a_number(value: bytes, refused: Refused) -> None:
    text = refused([b"repl-backlog-size", value])
    assert text is not None
    assert text.endswith(b"argument must be a memory value")


def test_a_protected_directive_is_closed_by_default_and_open_to_local_clients_if_so_configured(tmp_path: Path) -> None:
    config = Config()
    with pytest.raises(CommandError, match="'dir'\\) - can't set protected config"):
        config.set_many([(b"dir", bytes(tmp_path))], local=True)
    config.configure("enable-protected-configs", [b"local"])
    with pytest.raises(CommandError, match="'dbfilename'\\) - can't set protected config"):
        config.set_many([(b"dbfilename", b"x")])
    config.set_many([(b"dir", bytes(tmp_path)), (b"dbfilename", b"x")], local=True)
    assert config.path("dbfilename") == str(tmp_path / "x")


def test_what_a_load_depends_on_cannot_change_during_it() -> None:
    config = Config()
    with pytest.raises(CommandError, match=r"^b'LOADING Redis is loading the dataset in memory'$"):
        config.set_many([(b"appendonly", b"yes")], loading=True)
    config.set_many([(b"hz", b"20")], loading=True)
    assert config.get_int("hz") == 20


def test_one_bad_pair_leaves_all_values_as_they_were() -> None:
    config = Config()
    with pytest.raises(CommandError):
        config.set_many([(b"hz", b"20"), (b"save", b""), (b"port", b"x")])
    assert config.get_int("hz") == 10
    assert len(config.save_points) == 3


def test_an_alias_beside_its_directive_is_no_duplicate_and_the_later_wins() -> None:
    config = Config()
    config.set_many([(b"replica-priority", b"1"), (b"slave-priority", b"2")])
    assert config.get_int("replica-priority") == 2


class Hooks:
    """Notes what hooks saw; `refuse` is raised by `failing`."""

    def __init__(self, config: Config, refuse: Exception) -> None:
        self.config = config
        self.refuse: Exception | None = refuse
        self.seen: list[str] = []

    def watching(self) -> None:
        self.seen.append(f"hz {self.config.get_int('hz')}")

    def failing(self) -> None:
        self.seen.append(f"port {self.config.get_int('port')}")
        if self.refuse is not None and self.config.get_int("port") != 6379:
            raise self.refuse


def test_a_hook_runs_after_all_values_changed_and_once_for_all_its_names() -> None:
    config = Config()
    hooks = Hooks(config, ValueError())
    for name in ("hz", "timeout", "loglevel"):
        config.on_change(name, hooks.watching)
    config.set_many([(b"timeout", b"5"), (b"hz", b"20"), (b"loglevel", b"debug")])
    assert hooks.seen == ["hz 20"]


def test_a_hook_does_not_run_for_a_value_that_stays() -> None:
    config = Config()
    hooks = Hooks(config, ValueError())
    config.on_change("hz", hooks.watching)
    config.set_many([(b"hz", b"10"), (b"timeout", b"5")])
    assert hooks.seen == []


def test_a_hook_needs_a_directive() -> None:
    with pytest.raises(KeyError):
        Config().on_change("nothing", Hooks(Config(), ValueError()).watching)


@pytest.mark.parametrize(
    "refusal",
    [ConfigError("in use"), InvalidValue("in use"), ValueError("in use"), OSError(98, "in use"), OSError("in use")],
)
def test_a_hook_that_refuses_takes_everything_back(refusal: Exception) -> None:
    config = Config()
    hooks = Hooks(config, refusal)
    config.on_change("hz", hooks.watching)
    config.on_change("port", hooks.failing)
    with pytest.raises(CommandError) as error:
        config.set_many([(b"hz", b"20"), (b"port", b"1"), (b"timeout", b"5")])
    assert error.value.text == b"ERR CONFIG SET failed (possibly related to argument 'port') - in use"
    assert hooks.seen == ["hz 20", "port 1", "hz 10", "port 6379"]
    assert (config.get_int("hz"), config.get_int("port"), config.get_int("timeout")) == (10, 6379, 0)


class Broken(Hooks):
    """Refuses every value, the old one too."""

    def failing(self) -> None:
        raise OSError(98, "in\nuse")


def test_a_hook_that_cannot_go_back_is_told_in_one_line() -> None:
    config = Config()
    config.on_change("port", Broken(config, ValueError()).failing)
    with pytest.raises(CommandError) as error:
        config.set_many([(b"port", b"1")])
    assert error.value.text.endswith(b"'port') - in use; going back failed: in use")


def test_secrets_are_known() -> None:
    config = Config()
    secret = [b"requirepass", b"MASTERAUTH", b"masteruser", b"tls-key-file-pass", b"tls-client-key-file-pass"]
    assert all(config.is_sensitive(name) for name in secret)
    assert not any(config.is_sensitive(name) for name in (b"port", b"nothing", b"\xff"))


@given(st.sampled_from(sorted(BY_NAME)), st.binary(max_size=30))
def test_any_value_is_accepted_or_refused_in_one_line_and_accepted_ones_are_canonical(name: str, value: bytes) -> None:
    config = Config()
    before = config.match([name.encode()])
    try:
        config.set_many([(name.encode(), value)])
    except CommandError as error:
        text = error.text
        ok = text.startswith(b"ERR CONFIG SET failed") and b"\n" not in text and config.match([name.encode()]) == before
        if not ok:
            raise
    else:
        text = config.match([name.encode()])[0][1]
        config.set_many([(name.encode(), text)])
        assert config.match([name.encode()]) == [(name.encode(), text)]
