"""CONFIG GET: patterns, aliases, hidden directives; and the typed readers."""

from pathlib import Path

import pytest

from aikv.engine.config import Config


def names(config: Config, *patterns: bytes) -> list[bytes]:
    return [name for name, _ in config.match(list(patterns))]


def test_a_name_is_answered_as_it_was_asked() -> None:
    assert Config().match([b"PORT"]) == [(b"PORT", b"6379")]


def test_a_name_that_several_patterns_match_is_answered_once() -> None:
    assert names(Config(), b"POrt", b"port", b"po*") == [b"POrt"]


def test_a_pattern_ignores_case_and_matches_aliases() -> None:
    assert names(Config(), b"*-PRIORITY") == [b"replica-priority", b"slave-priority"]


def test_an_alias_has_the_value_of_its_directive() -> None:
    config = Config()
    config.set_many([(b"slave-priority", b"7")])
    assert config.match([b"replica-priority", b"slave-priority"]) == [
        (b"replica-priority", b"7"),
        (b"slave-priority", b"7"),
    ]


def test_a_hidden_directive_answers_to_its_exact_name_only() -> None:
    assert names(Config(), b"watchdog*") == []
    assert names(Config(), b"watchdog-period") == [b"watchdog-period"]


def test_unknown_names_are_left_out() -> None:
    assert names(Config(), b"nothing", b"", b"\xff", b"zzz*") == []


def test_typed_readers() -> None:
    config = Config()
    config.configure("unixsocketperm", [b"700"])
    config.configure("client-output-buffer-limit", [b"replica", b"1mb", b"2k", b"3"])
    config.configure("latency-tracking-info-percentiles", [b"99.9", b"1e1"])
    config.configure("requirepass", [b"\xff\0"])
    assert config.get_int("unixsocketperm") == 0o700
    assert config.get_int("proto-max-bulk-len") == 512 << 20
    assert config.get_bool("rdbchecksum")
    assert not config.get_bool("appendonly")
    assert config.get_str("appendfsync") == "everysec"
    assert config.get_bytes("requirepass") == b"\xff\0"
    assert config.oom_score_adj_values == [0, 200, 800]
    assert config.latency_tracking_info_percentiles == [99.9, 10.0]
    limits = config.client_output_buffer_limits
    assert (limits["replica"].hard, limits["replica"].soft, limits["replica"].soft_seconds) == (1 << 20, 2000, 3)
    assert (limits["normal"].hard, limits["pubsub"].soft_seconds) == (0, 60)


def test_a_directive_that_is_no_number_has_no_number() -> None:
    with pytest.raises(KeyError):
        Config().get_int("save")


def test_paths_start_at_dir(tmp_path: Path) -> None:
    config = Config()
    config.configure("dir", [bytes(tmp_path)])
    config.configure("unixsocket", [b"/elsewhere/s"])
    assert config.path("dbfilename") == str(tmp_path / "dump.rdb")
    assert config.path("unixsocket") == "/elsewhere/s"
    assert config.path("logfile") == ""


def test_two_configurations_share_nothing() -> None:
    first, second = Config(), Config()
    first.set_many([(b"save", b"1 2")])
    assert second.save_points == [(3600, 1), (300, 100), (60, 10000)]
