"""A database: keys and TTLs together, against plain dicts, with time that passes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aikv.keyspace.database import NO_EXPIRY, Database, Watcher

KEYS = st.sampled_from([b"a", b"b", b"c", b"d"])


class Recorder(Watcher):
    """Remembers what has run out."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []

    def expired(self, database: Database, key: bytes) -> None:
        assert database.table.get(key) is None, "told of before it was removed"
        self.keys.append(key)


class DatabaseMachine(RuleBasedStateMachine):
    """The model is a dict of values and of moments; whatever is past its moment is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.recorder = Recorder()
        self.database = Database(0, self.recorder)
        self.now = 1000
        self.model: dict[bytes, tuple[int, int]] = {}
        self.told: list[bytes] = []

    def alive(self, key: bytes) -> int | None:
        """Return the value that the model has for `key` now."""
        value, when = self.model.get(key, (0, NO_EXPIRY))
        if key in self.model and when != NO_EXPIRY and when < self.now:
            return None
        return value if key in self.model else None

    @rule(key=KEYS)
    def find(self, key: bytes) -> None:
        expected = self.alive(key)
        assert self.database.find(key, self.now) == expected
        if expected is None and key in self.model:
            del self.model[key]
            self.told.append(key)

    @rule(key=KEYS, value=st.integers())
    def put(self, key: bytes, value: int) -> None:
        assert self.database.put(key, value) == (key not in self.model)
        self.model[key] = (value, self.model.get(key, (0, NO_EXPIRY))[1])

    @rule(key=KEYS)
    def remove(self, key: bytes) -> None:
        assert self.database.remove(key) == self.model.pop(key, (None, 0))[0]

    @rule(key=KEYS, lifetime=st.integers(1, 50))
    def set_expire(self, key: bytes, lifetime: int) -> None:
        if key in self.model:
            self.database.set_expire(key, self.now + lifetime)
            self.model[key] = (self.model[key][0], self.now + lifetime)

    @rule(key=KEYS)
    def persist(self, key: bytes) -> None:
        had = self.model.get(key, (0, NO_EXPIRY))[1] != NO_EXPIRY
        assert self.database.persist(key) == had
        if had:
            self.model[key] = (self.model[key][0], NO_EXPIRY)

    @rule(milliseconds=st.integers(1, 40))
    def time_passes(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule()
    def clear(self) -> None:
        old = self.database.clear(self.now // 1000)
        count = sum(len(bucket) for bucket in old)
        assert count == len(self.model) + sum(when != NO_EXPIRY for _, when in self.model.values())
        self.model = {}

    @invariant()
    def holds(self) -> None:
        self.database.table._check()
        self.database.expires._check()
        assert len(self.database) == len(self.model)
        assert {key: self.database.expire_of(key) for key in self.model} == {k: w for k, (_, w) in self.model.items()}
        assert self.database.expires_count() == sum(when != NO_EXPIRY for _, when in self.model.values())
        for key in self.model:
            assert self.database.is_expired(key, self.now) == (self.alive(key) is None)
        assert self.recorder.keys == self.told


TestDatabase = DatabaseMachine.TestCase
TestDatabase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_a_key_is_served_in_the_millisecond_in_which_it_runs_out_and_not_after() -> None:
    database = Database(0, Recorder())
    database.put(b"a", 1)
    database.set_expire(b"a", 2000)
    assert database.find(b"a", 2000) == 1
    assert database.find(b"a", 2001) is None
    assert len(database) == 0


def test_a_key_that_may_not_be_removed_is_hidden() -> None:
    recorder = Recorder()
    database = Database(0, recorder)
    database.put(b"a", 1)
    database.set_expire(b"a", 2000)
    database.keep_expired = True
    assert database.find(b"a", 3000) is None
    assert (len(database), recorder.keys) == (1, [])
    database.keep_expired = False
    assert database.find(b"a", 3000) is None
    assert (len(database), recorder.keys) == (0, [b"a"])


def test_databases_that_are_swapped_keep_their_numbers_and_watches() -> None:
    first, second = Database(0, Recorder()), Database(1, Recorder())
    first.put(b"a", 1)
    first.set_expire(b"a", 2000)
    first.access.touch(b"a", 500)
    watched = first.watched
    first.swap(second)
    assert (len(first), second.find(b"a", 0), second.expire_of(b"a")) == (0, 1, 2000)
    assert first.find(b"a", 0) is None
    assert (first.index, second.index, first.watched is watched) == (0, 1, True)
    assert second.access.idle(b"a", 600) == 100
