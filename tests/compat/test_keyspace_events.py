"""Keyspace events of every class: the oracle's, in its order, for commands on every type.

The rooms' own tests compare the events of single types; here all of them meet, and each class is asked for alone.
"""

from collections.abc import Iterator

import pytest

from compat.every_type import SEQUENCES, steps_of
from oracle.effects import announced
from oracle.language import Step
from oracle.pair import Pair
from oracle.wire import RawConnection


@pytest.fixture
def still(pair: Pair) -> Iterator[Pair]:
    """Both servers, where keys run out only when somebody looks."""
    servers = (pair.oracle, pair.aikv)
    for server in servers:
        with server.connect() as connection:
            connection.command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    yield pair
    for server in servers:
        with server.connect() as connection:
            connection.command("DEBUG", "SET-ACTIVE-EXPIRE", "1")


def check(pair: Pair, steps: list[Step], classes: str) -> int:
    """Assert that both servers announce the same; returns how many events there were."""
    theirs, ours = (announced(server, steps, classes) for server in (pair.oracle, pair.aikv))
    for (step, expected), (_, found) in zip(theirs, ours, strict=True):
        assert found == expected, f"after {step}"
    return sum(len(events) for _, events in theirs)


@pytest.mark.parametrize("text", SEQUENCES.values(), ids=SEQUENCES)
def test_every_event_of_a_type_is_the_oracles_in_its_order(text: str, still: Pair) -> None:
    assert check(still, steps_of(text), "AKEmn") > 10


@pytest.mark.parametrize("letter", "g$lshztxmnA")
def test_a_class_announces_its_own_events_only(letter: str, still: Pair) -> None:
    steps = [step for text in SEQUENCES.values() for step in steps_of(text)]
    assert check(still, steps, "E" + letter) > 0


@pytest.mark.parametrize("classes", ["Ed", "Ee", "A", "Kd", ""])
def test_classes_of_which_nothing_happens_announce_nothing(classes: str, pair: Pair) -> None:
    assert check(pair, parse_steps_of_one_key(), classes) == 0


def parse_steps_of_one_key() -> list[Step]:
    """A key that comes, changes and goes."""
    return steps_of("SET a 1; APPEND a 2; GET nokey; DEL a")


@pytest.mark.parametrize("classes", ["K$", "E$", "KE$", "Kg", "KEg$"])
def test_the_channel_is_of_the_key_or_of_the_event(classes: str, pair: Pair) -> None:
    assert check(pair, parse_steps_of_one_key(), classes) > 0


@pytest.mark.parametrize(
    "value",
    ["KEA", "AKE", "Elg", "gElsh", "KEg$lshzxetdm", "KEAm", "AKEmd", "KEgn", "nE$", "$", "A", "AE", "dE", "KEmd", ""],
)
def test_the_setting_is_shown_as_the_oracle_shows_it(value: str, pair: Pair) -> None:
    shown = []
    for server in (pair.oracle, pair.aikv):
        with server.connect() as connection:
            connection.command("CONFIG", "SET", "notify-keyspace-events", value)
            shown.append(read(connection))
            connection.command("CONFIG", "SET", "notify-keyspace-events", "")
    assert shown[1] == shown[0]


def read(connection: RawConnection) -> bytes:
    """Ask for the setting."""
    return connection.command("CONFIG", "GET", "notify-keyspace-events")
