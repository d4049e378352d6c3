"""Consumer groups of a stream: what was delivered to whom and is not yet acknowledged.

Theory of operation: every delivered entry has one `Pending`, which stands in the group's list and in that of the
consumer it was delivered to. Both are `IdMap`s, so that ranges of ids are found without walking. A `Pending` names its
consumer instead of referring to it, so that nothing here is a cycle, and a removed stream is freed at once.

A group knows nothing of the entries themselves: ids come in and go out as integers (`stream_id`), times are Unix
milliseconds and are passed in.
"""

from typing import Final

from mypy_extensions import i64

from aikv.datatypes.memory import allocated, sampled
from aikv.datatypes.stream_index import IdMap

# The number of entries read by a group, where it cannot be known.
UNKNOWN: Final = -1
# The last successful use of a consumer that never had one.
NEVER: Final = -1


class Pending:
    """One entry, delivered `count` times, the last time at `time_ms` to `consumer`."""

    def __init__(self, number: int, consumer: bytes, time_ms: int, count: int) -> None:
        self.id: Final = number
        self.consumer = consumer
        self.time_ms: i64 = time_ms
        self.count = count


class Consumer:
    """One reader of a group: when it last tried anything, when it last got anything, what it holds."""

    def __init__(self, name: bytes, now_ms: int) -> None:
        self.name: Final = name
        self.seen_ms = now_ms
        self.active_ms = NEVER
        self.pending: Final[IdMap[Pending]] = IdMap()

    def memory(self) -> int:
        """Bytes of it, without the `Pending`s, which the group has, too."""
        return allocated(self) + allocated(self.name) + self.pending.memory()


class ConsumerGroup:
    """A group; `last_id` is the last id delivered, `entries_read` how many entries there were up to it."""

    def __init__(self, last_id: int, entries_read: int) -> None:
        self.last_id = last_id
        self.entries_read = entries_read
        self.pending: Final[IdMap[Pending]] = IdMap()
        self.consumers: Final[dict[bytes, Consumer]] = {}

    def memory(self) -> int:
        """Bytes of it and of its consumers."""
        pending = self.pending
        waiting = sampled(pending.first_values(1), pending.used, 0)
        consumers = sum(consumer.memory() for consumer in self.consumers.values())
        return allocated(self) + pending.memory() + waiting + allocated(self.consumers) + consumers

    def find(self, name: bytes) -> Consumer | None:
        """The consumer called `name`, or None. O(1)."""
        return self.consumers.get(name)

    def create(self, name: bytes, now_ms: int) -> Consumer:
        """Add the consumer `name`, which is not there. O(1)."""
        consumer = Consumer(name, now_ms)
        self.consumers[name] = consumer
        return consumer

    def remove(self, name: bytes) -> int:
        """Remove the consumer `name` with what it holds; returns how many entries that were. O(entries)."""
        consumer = self.consumers.pop(name, None)
        if consumer is None:
            return 0
        count = len(consumer.pending)
        for pending in consumer.pending.some_from(0, count):
            self.pending.pop(pending.id)
        return count

    def ordered(self) -> list[Consumer]:
        """The consumers in the order of their names. O(n log n)."""
        return [self.consumers[name] for name in sorted(self.consumers)]

    def deliver(self, number: int, consumer: Consumer, now_ms: int) -> Pending:
        """Entry `number` goes to `consumer` for the first time, whoever held it before. O(log n)."""
        pending = self.pending.get(number)
        if pending is None:
            return self.add(number, consumer, now_ms, 1)
        self.move(pending, consumer)
        pending.time_ms = now_ms
        pending.count = 1
        return pending

    def add(self, number: int, consumer: Consumer, time_ms: int, count: int) -> Pending:
        """Note that `consumer` holds entry `number`, which nobody held. O(log n)."""
        pending = Pending(number, consumer.name, time_ms, count)
        self.pending.put(number, pending)
        consumer.pending.put(number, pending)
        return pending

    def move(self, pending: Pending, consumer: Consumer) -> None:
        """Let `consumer` hold what another one may hold now. O(log n)."""
        if pending.consumer != consumer.name:
            self.consumers[pending.consumer].pending.pop(pending.id)
            consumer.pending.put(pending.id, pending)
            pending.consumer = consumer.name

    def acknowledge(self, number: int) -> bool:
        """Forget that anybody holds entry `number`; whether somebody did. O(log n)."""
        pending = self.pending.pop(number)
        if pending is None:
            return False
        self.consumers[pending.consumer].pending.pop(number)
        return True

    def copy(self) -> "ConsumerGroup":
        """An equal group that shares nothing with this that can change. O(n)."""
        copied = ConsumerGroup(self.last_id, self.entries_read)
        for consumer in self.consumers.values():
            twin = copied.create(consumer.name, consumer.seen_ms)
            twin.active_ms = consumer.active_ms
        for pending in self.pending.some_from(0, len(self.pending)):
            copied.add(pending.id, copied.consumers[pending.consumer], pending.time_ms, pending.count)
        return copied

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        self.pending._check()
        held = 0
        for name, consumer in self.consumers.items():
            assert consumer.name == name
            consumer.pending._check()
            for pending in consumer.pending.some_from(0, len(consumer.pending)):
                assert pending.consumer == name
                assert self.pending.get(pending.id) is pending
                held += 1
        assert held == len(self.pending)
        assert self.entries_read >= UNKNOWN
