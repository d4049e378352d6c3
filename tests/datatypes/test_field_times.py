"""Times of fields: every operation beside a plain dict, in the small form and in the large one."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from aikv.datatypes.field_times import NO_TIME, SMALL, FieldTimes

FIELDS = st.integers(0, 30).map(lambda number: b"%d" % number)
TIMES = st.one_of(st.integers(0, 20), st.just((1 << 48) - 2))


class FieldTimesMachine(RuleBasedStateMachine):
    """Every operation beside a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.times = FieldTimes()
        self.model: dict[bytes, int] = {}

    @initialize(large=st.booleans())
    def fill(self, large: bool) -> None:
        for number in range(SMALL + 1 if large else 0):
            self.put(b"%d" % number, number)
        assert (self.times.large is not None) == large

    @rule(field=FIELDS, when=TIMES)
    def put(self, field: bytes, when: int) -> None:
        self.times.set(field, when)
        self.model[field] = when

    @rule(field=FIELDS)
    def drop(self, field: bytes) -> None:
        assert self.times.drop(field) == (self.model.pop(field, None) is not None)

    @rule(now=st.integers(0, SMALL + 2), limit=st.integers(-1, 3))
    def take(self, now: int, limit: int) -> None:
        due = sorted((when, field) for field, when in self.model.items() if when < now)
        expected = [field for _, field in (due if limit < 0 else due[:limit])]
        assert self.times.take_due(now, limit) == expected
        for field in expected:
            del self.model[field]

    @rule()
    def copy(self) -> None:
        copied = self.times.copy()
        self.times.set(b"0", 5)
        self.model[b"0"] = 5
        self.times = self.times.copy()
        copied.set(b"only there", 1)

    @invariant()
    def is_the_model(self) -> None:
        self.times._check()
        assert len(self.times) == len(self.model)
        assert dict(self.times.items()) == self.model
        assert self.times.next() == min(self.model.values(), default=NO_TIME)
        assert self.times.get(b"0") == self.model.get(b"0", NO_TIME)
        assert self.times.get(b"none") == NO_TIME


TestFieldTimes = FieldTimesMachine.TestCase
TestFieldTimes.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("count", [SMALL, SMALL + 1, 5000])
def test_the_memory_of_both_forms_is_counted(count: int) -> None:
    times = FieldTimes()
    empty = times.memory(0)
    for number in range(count):
        times.set(b"field-%d" % number, number + (1 << 40))
    assert empty + 40 * count < times.memory(0) < empty + 400 * count
    assert times.memory(5) == pytest.approx(times.memory(0), rel=0.2)
