"""The tables of benchmarks: every column has its head, geometric means stand at the end, goals are judged."""

from pathlib import Path

import pytest
from compare import Summary, directives_of, name_of, table
from goals import READERS, Documents, Goal, goals_of, read, times_of
from goals import table as table_of_goals
from load import Run
from scaling import AXES, Axis, load_at


def summary(test: str, ours: float, theirs: float, valkey: float | None = None) -> Summary:
    """Two pairs, in which a command takes as many microseconds as its throughput has thousands."""
    aikv, redis, third = ([Run(value * 1000, value)] * 2 if value else [] for value in (ours, theirs, valkey))
    return Summary(test, 1, aikv, redis, third)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("valkey", [None, 8.0])
def test_every_row_of_a_comparison_is_as_long_as_its_head(valkey: float | None) -> None:
    lines = table([summary("get", 4.0, 1.0, valkey), summary("set", 1.0, 4.0, valkey)]).splitlines()
    assert len({len(cells(line)) for line in lines}) == 1
    assert ("valkey-server" in lines[0]) == (valkey is not None)


def test_the_geometric_mean_ends_a_comparison() -> None:
    last = table([summary("get", 4.0, 1.0), summary("set", 1.0, 4.0)]).splitlines()[-1]
    assert cells(last)[0] == "geometric mean of 2 tests"
    assert last.count("1.00 (1.00-1.00)") == 2


def test_one_test_has_no_mean() -> None:
    assert "mean" not in table([summary("get", 4.0, 1.0)])


def test_the_shorthand_of_a_policy_is_both_directives() -> None:
    assert directives_of("always", ())[2:6] == ["--appendonly", "yes", "--appendfsync", "always"]
    assert directives_of(None, ("--io-threads 2",))[2:] == ["--appendonly", "no", "--io-threads", "2"]


def test_results_are_named_after_what_was_measured() -> None:
    assert name_of("aikv 1 (compiled form)", None) == "compare"
    assert name_of("aikv 1 (pure form)", "always") == "compare-pure-aof-always"


@pytest.mark.parametrize("axis", AXES, ids=[axis.name for axis in AXES])
def test_every_connection_of_a_point_has_something_to_ask(axis: Axis) -> None:
    for at in (*axis.points, *axis.quick):
        pipeline, load = load_at(axis.name, at, 1000)
        assert pipeline >= 1
        assert load.requests >= load.clients


@pytest.mark.parametrize(
    ("limit", "at_least", "values", "verdict"),
    [
        (1.0, True, [0.9, 1.0, 1.1], "met"),
        (1.0, True, [0.9, 0.95, 1.1], "missed by 5 %"),
        (1.5, False, [1.5], "met"),
        (1.5, False, [3.0], "missed by 100 %"),
        (1.0, False, [1.0001], "missed by 0.1 %"),
        (1.0, False, [], "not measured"),
        (2.0, False, [0.0, 1.0, 1.5], "too small to measure"),
    ],
)
def test_the_median_is_judged(limit: float, at_least: bool, values: list[float], verdict: str) -> None:
    assert Goal("a case", limit, at_least, "x", values, "scripts/bench").verdict() == verdict


def test_a_goal_shows_its_spread_and_unit() -> None:
    goal = Goal("a case", 10.0, False, " ms", [7.0, 5.04, 6.0], "scripts/bench", "; redis-server 9 ms")
    assert goal.wanted() == "<= 10 ms"
    assert goal.measured() == "6.0 ms (5.0-7.0); redis-server 9 ms"


def test_what_was_not_measured_is_listed_with_its_command() -> None:
    goals = goals_of({})
    assert {goal.verdict() for goal in goals} == {"not measured"}
    assert all(goal.command.startswith("scripts/bench ") for goal in goals)
    assert all(reader({}) for reader in READERS)


def test_goals_are_read_from_documents() -> None:
    run, other = {"throughput": 2.0, "cpu_us": 1.0}, {"throughput": 4.0, "cpu_us": 2.0}
    case = {"test": "get", "pipeline": 1, "aikv": [run, run], "redis": [other, other]}
    documents: Documents = {
        "compare": {"command": "scripts/bench compare --all", "cases": [case]},
        "memory": {"command": "m", "kinds": [{"kind": "string, 16 bytes", "aikv": 300.0, "redis": 100.0}]},
        "pauses": {
            "command": "p",
            "events": [{"name": "insert 5 keys", "aikv": [{"longest_ms": 5.0}], "redis": [{"longest_ms": 4.0}]}],
        },
        "scaling": {
            "command": "s",
            "curves": [{"test": "get", "unit": "keys", "points": [1, 2], "cases": [case, case]}],
        },
    }
    found = {goal.case: goal for goal in goals_of(documents)}
    throughput = found["redis-benchmark -P 1: throughput, geometric mean of 1 tests"]
    assert (throughput.measured(), throughput.verdict()) == ("0.50x (0.50-0.50)", "missed by 50 %")
    assert found["redis-benchmark -P 1: server CPU per command, geometric mean of 1 tests"].verdict() == "met"
    assert found["memory per key: string, 16 bytes"].verdict() == "missed by 100 %"
    assert found["longest pause: insert 5 keys"].measured() == "5.0 ms; redis-server 4.0 ms"
    (curve,) = (goal for goal in found.values() if goal.case.startswith("no cliff"))
    assert curve.verdict() == "met"
    lines = table_of_goals(list(found.values())).splitlines()
    assert len({line.count("|") for line in lines}) == 1


def test_a_load_that_took_no_longer_than_a_start_gives_no_ratio() -> None:
    case = {
        "aikv": [{"seconds": value} for value in (2.0, -1.0, 1.0)],
        "redis": [{"seconds": v} for v in (1.0, -1.0, 0)],
    }
    assert times_of(case) == [2.0, 0.0, 0.0]


def test_a_folder_is_read_by_the_names_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "compare.json").write_text('{"cases": []}')
    (tmp_path / "compare.md").write_text("no document")
    assert read(tmp_path) == {"compare": {"cases": []}}
