"""Hashes: fields and their values.

Theory of operation: a small hash is one listpack of fields and values in turn, in the order in which the fields came.
Once it has more fields, or a longer text, than its limits say, it becomes a `Table`, and stays one. Its fields share
their names with those of other large hashes (`field_names`).

Some fields may have a time at which they run out (Redis 7.4); such a hash has a `FieldTimes` besides. A hash knows no
clock. Before anything else is asked of one, whose `next_expiry` has come, either `expire_fields` removes what is due,
or `visible` gives a hash without it, where nothing may be removed. So nothing here tests a field's time, and a hash
without times pays nothing for the feature.

Most hashes are small and without times, and there are many of them, so that is what an object of two words says: its
form is the listpack. Any other has `Parts`.

Setting a field drops its time unless it is asked to stay; removing it drops it, too.
"""

from typing import Final, cast

from mypy_extensions import i64, mypyc_attr

from aikv.base.random import Random
from aikv.datatypes import listpack, listpack_check
from aikv.datatypes.field_names import MAX_NAMES, shared
from aikv.datatypes.field_times import NO_TIME, FieldTimes
from aikv.datatypes.kinds import KINDS, Kind
from aikv.datatypes.limits import Limits
from aikv.datatypes.listpack import FIRST
from aikv.datatypes.memory import allocated, sampled, table_memory
from aikv.datatypes.sampling import all_keys, distinct, distinct_keys, repeated, repeated_keys
from aikv.datatypes.table import Table

# So many values of a small hash are found one by one as fast as by reading all.
_FEW: Final = 4


@mypyc_attr(acyclic=True)
class Parts:
    """What a hash consists of that is large, or has fields with times."""

    def __init__(self, pack: bytes) -> None:
        # The small form, and of a large hash nothing.
        self.pack: bytes = pack
        self.table: Table | None = None
        # Made when the first field is given a time.
        self.times: FieldTimes | None = None


# Without a place among the collector's objects each takes 16 bytes less, and as much with one attribute for three.
@mypyc_attr(acyclic=True)
class Hash:
    """A map from bytes to bytes. n is its number of fields; a small hash has at most some hundred."""

    def __init__(self) -> None:
        self._form: bytes | Parts = listpack.EMPTY

    @property
    def pack(self) -> bytes:
        """The small form, and of a large hash nothing."""
        form = self._form
        return form if isinstance(form, bytes) else form.pack

    @property
    def table(self) -> Table | None:
        """The large form."""
        form = self._form
        return None if isinstance(form, bytes) else form.table

    @property
    def times(self) -> FieldTimes | None:
        """The times of fields, once one has been given."""
        form = self._form
        return None if isinstance(form, bytes) else form.times

    def __len__(self) -> int:
        table = self.table
        return listpack.length(self.pack) >> 1 if table is None else table.used

    def encoding(self) -> bytes:
        """OBJECT ENCODING's word for the form."""
        if self.table is not None:
            return b"hashtable"
        return b"listpack" if self.times is None else b"listpackex"

    def get(self, field: bytes) -> bytes | None:
        """The value of `field`, or None. O(1), small O(n)."""
        pack = self.pack
        table = self.table
        if table is not None:
            return cast("bytes | None", table.get(field))
        offset: i64 = listpack.find(pack, field, FIRST, 1)
        if offset < 0:
            return None
        return listpack.entry_at(pack, offset + listpack.entry_size(pack, offset))

    def __contains__(self, field: bytes) -> bool:
        table = self.table
        if table is not None:
            return table.get(field) is not None
        return listpack.find(self.pack, field, FIRST, 1) >= 0

    def strlen(self, field: bytes) -> int:
        """The length of the value of `field` in bytes, 0 where there is none. Costs as `get`."""
        value = self.get(field)
        return 0 if value is None else len(value)

    def set(self, field: bytes, value: bytes, limits: Limits, keep_time: bool = False) -> bool:
        """Give `field` a value; True where it is new. O(1), small O(n)."""
        form = self._form
        if isinstance(form, bytes) and _fits(form, field, value, limits):
            return self._set_in_pack(form, field, value, limits)
        parts = self._parts()
        if parts.times is not None and not keep_time:
            parts.times.drop(field)
        table = parts.table
        if table is None:
            if _fits(parts.pack, field, value, limits):
                return self._set_in_pack(parts.pack, field, value, limits)
            table = self._enlarge()
        # Where there are more names than are remembered, sharing would be in vain, and a fifth of HSET.
        return table.set(shared(field) if table.used < MAX_NAMES else field, value)

    def set_new(self, field: bytes, value: bytes, limits: Limits) -> bool:
        """Give `field` a value unless it has one (HSETNX); whether it was given. Costs as `set`."""
        return field not in self and self.set(field, value, limits)

    def prepare(self, count: int, limits: Limits) -> None:
        """Take the form for `count` fields that will be set now."""
        if self.table is None and count > limits.hash_listpack_entries:
            self._enlarge()

    def set_pairs(self, argv: list[bytes], first: int, limits: Limits) -> int:
        """Set each field in `argv` from index `first` on to the value after it; returns how many are new (HSET).

        As in Redis 7.2 more pairs than a small hash may have, or one long text, make it large before anything is set.
        """
        if self.table is None:
            if _outgrows(argv, first, limits):
                self._enlarge()
            elif self.pack is listpack.EMPTY:
                return self._fill(argv, first)
        added: i64 = 0
        for index in range(first, len(argv) - 1, 2):
            if self.set(argv[index], argv[index + 1], limits):
                added += 1
        return added

    def delete(self, field: bytes) -> bool:
        """Remove `field`; whether it was there. O(1), small O(n)."""
        times = self.times
        if times is not None:
            times.drop(field)
        table = self.table
        if table is not None:
            return table.pop(field) is not None
        offset: i64 = listpack.find(self.pack, field, FIRST, 1)
        if offset < 0:
            return False
        self._become(listpack.delete(self.pack, offset, 2))
        return True

    def pairs(self) -> list[bytes]:
        """Each field and after it its value (HGETALL). O(n)."""
        table = self.table
        if table is None:
            return listpack.entries(self.pack)
        both: list[bytes] = []
        for bucket in table.buckets:
            for field, value in bucket.items():
                both.append(field)
                both.append(cast(bytes, value))
        return both

    def fields(self) -> list[bytes]:
        """All fields. O(n)."""
        table = self.table
        return listpack.entries(self.pack)[::2] if table is None else all_keys(table)

    def values(self) -> list[bytes]:
        """All values, in the order of `fields`. O(n)."""
        return self.pairs()[1::2]

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """One step of HSCAN from `cursor`: the next cursor, 0 at the end, and about `count` fields.

        A small hash gives all at once.
        """
        table = self.table
        return (0, self.fields()) if table is None else table.scan(cursor, count)

    def with_values(self, fields: list[bytes]) -> list[bytes]:
        """Each of `fields`, all of which are there, and after it its value. O(n + fields)."""
        both: list[bytes] = []
        values = self._value_map(len(fields))
        for field in fields:
            both.append(field)
            value = self.get(field) if values is None else values.get(field)
            both.append(b"" if value is None else value)
        return both

    def get_many(self, fields: list[bytes]) -> list[bytes | None]:
        """The values of `fields`, None where there is none (HMGET). O(fields), small O(n + fields)."""
        values = self._value_map(len(fields))
        if values is None:
            return [self.get(field) for field in fields]
        return [values.get(field) for field in fields]

    def random_field(self, random: Random) -> bytes:
        """A field, each as likely as any other; the hash is not empty. O(1), small O(n)."""
        table = self.table
        if table is None:
            index: i64 = random.below(listpack.length(self.pack) >> 1)
            return listpack.entry_at(self.pack, listpack.offset_of(self.pack, 2 * index))
        return cast(bytes, table.random_key(random))

    def random_fields(self, random: Random, count: int) -> list[bytes]:
        """`count` distinct fields, or all where there are not more; every choice is equally likely.

        O(count), small O(n).
        """
        table = self.table
        return distinct(self.fields(), count, random) if table is None else distinct_keys(table, count, random)

    def random_fields_repeating(self, random: Random, count: int) -> list[bytes]:
        """`count` fields, each drawn from all; the hash is not empty. O(count), small O(n + count)."""
        table = self.table
        return repeated(self.fields(), count, random) if table is None else repeated_keys(table, count, random)

    def expiry_of(self, field: bytes) -> int:
        """The Unix ms at which `field` runs out, or -1. O(1)."""
        times = self.times
        return NO_TIME if times is None else times.get(field)

    def set_expiry(self, field: bytes, when: int) -> None:
        """Let `field`, which is there, run out at Unix ms `when`, 0 or more. O(log n)."""
        parts = self._parts()
        if parts.times is None:
            parts.times = FieldTimes()
        parts.times.set(field, when)

    def persist_field(self, field: bytes) -> bool:
        """Let `field` stay; whether it had a time. O(1)."""
        times = self.times
        return times is not None and times.drop(field)

    def next_expiry(self) -> int:
        """The Unix ms at which the next field runs out, or -1. O(1)."""
        times = self.times
        return NO_TIME if times is None else times.next()

    def expire_fields(self, now_ms: int, limit: int = -1) -> list[bytes]:
        """Remove the fields whose time is before Unix ms `now_ms`, and return them. O(1) where none is due.

        At most `limit` of them, unless that is negative; the earliest go first.
        """
        times = self.times
        if times is None:
            return []
        due = times.take_due(now_ms, limit)
        for field in due:
            self.delete(field)
        return due

    def visible(self, now_ms: int) -> "Hash":
        """This hash, or a copy without the fields whose time is before Unix ms `now_ms`, where there are such.

        O(1) where none is due, else O(n).
        """
        when = self.next_expiry()
        if when == NO_TIME or when >= now_ms:
            return self
        copied = self.copy()
        copied.expire_fields(now_ms)
        return copied

    def copy(self) -> "Hash":
        """An equal hash that shares nothing with this one that can change. O(n)."""
        copied = Hash()
        form = self._form
        if isinstance(form, bytes):
            copied._form = form
            return copied
        parts = copied._parts()
        parts.pack = form.pack
        if form.table is not None:
            parts.table = Table()
            for bucket in form.table.buckets:
                for field, value in bucket.items():
                    parts.table.set(field, value)
        if form.times is not None:
            parts.times = form.times.copy()
        return copied

    def _become(self, pack: bytes) -> None:
        """Consist of the pairs in `pack`, and the times that there are."""
        form = self._form
        if isinstance(form, bytes):
            self._form = pack
        else:
            form.pack = pack

    def _parts(self) -> Parts:
        form = self._form
        if isinstance(form, bytes):
            form = self._form = Parts(form)
        return form

    def _set_in_pack(self, pack: bytes, field: bytes, value: bytes, limits: Limits) -> bool:
        """As `set`, of a small hash whose pairs are `pack`."""
        offset: i64 = listpack.find(pack, field, FIRST, 1)
        if offset >= 0:
            changed = listpack.replace(pack, offset + listpack.entry_size(pack, offset), value)
        else:
            end: i64 = listpack.end_offset(pack)
            both = listpack.encode_entry(field) + listpack.encode_entry(value)
            changed = listpack.splice(pack, end, end, both, 2)
        if changed is not pack:
            self._become(changed)
        if listpack.length(changed) >> 1 > limits.hash_listpack_entries:
            self._enlarge()
        return offset < 0

    def _enlarge(self) -> Table:
        """Become a `Table`, which is returned."""
        table = Table()
        texts = listpack.entries(self.pack)
        for index in range(0, len(texts), 2):
            table.set(shared(texts[index]), texts[index + 1])
        parts = self._parts()
        parts.table = table
        parts.pack = listpack.EMPTY
        return table

    def _fill(self, argv: list[bytes], first: int) -> int:
        """As `set_pairs`, for an empty small hash that will stay small: its bytes are put together once."""
        content: dict[bytes, bytes] = {}
        for index in range(first, len(argv) - 1, 2):
            content[argv[index]] = argv[index + 1]
        encoded: list[bytes] = []
        for field, value in content.items():
            encoded.append(listpack.encode_entry(field))
            encoded.append(listpack.encode_entry(value))
        self._become(listpack.from_entries(encoded))
        return len(content)

    def _value_map(self, wanted: int) -> dict[bytes, bytes] | None:
        """Fields and values, where that is a faster way to `wanted` values than asking for each."""
        if self.table is not None or wanted <= _FEW:
            return None
        texts = listpack.entries(self.pack)
        values: dict[bytes, bytes] = {}
        for index in range(0, len(texts), 2):
            values[texts[index]] = texts[index + 1]
        return values

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        table = self.table
        if table is None:
            assert listpack_check.validated(self.pack) is self.pack
            assert listpack.length(self.pack) % 2 == 0
        else:
            assert self.pack is listpack.EMPTY
            table._check()
            assert all(isinstance(value, bytes) for bucket in table.buckets for value in bucket.values())
        fields = self.fields()
        assert len(set(fields)) == len(fields) == len(self)
        if self.times is not None:
            self.times._check()
            assert {field for field, _ in self.times.items()} <= set(fields)


class HashKind(Kind):
    """`Hash`."""

    def __init__(self) -> None:
        super().__init__(b"hash")

    def encoding(self, value: object) -> bytes:
        return cast(Hash, value).encoding()

    def copy(self, value: object) -> object:
        return cast(Hash, value).copy()

    def memory(self, value: object, samples: int) -> int:
        held = cast(Hash, value)
        total = allocated(held)
        form = held._form
        if isinstance(form, bytes):
            return total + allocated(form)
        total += allocated(form) + (form.times.memory(samples) if form.times is not None else 0)
        table = form.table
        if table is None:
            return total + allocated(form.pack)
        return total + table_memory(table, samples) + sampled(table.values(), table.used, samples)


KINDS[Hash] = HashKind()


def _fits(pack: bytes, field: bytes, value: bytes, limits: Limits) -> bool:
    """Whether the small form `pack` may take `field` and `value`."""
    size: i64 = len(field)
    value_size: i64 = len(value)
    longest: i64 = limits.hash_listpack_value
    if size > longest or value_size > longest:
        return False
    return len(pack) + size + value_size <= listpack.SAFE_BYTES


def from_listpack(pack: bytes, limits: Limits) -> Hash:
    """The hash of the distinct fields and their values in the listpack `pack`. O(1), large O(n)."""
    made = Hash()
    made._become(pack)
    made.prepare(len(made), limits)
    return made


def _outgrows(argv: list[bytes], first: int, limits: Limits) -> bool:
    """Whether the pairs in `argv` from `first` on are too many for a small hash, or one of their texts too long."""
    if (len(argv) - first) >> 1 > limits.hash_listpack_entries:
        return True
    total: i64 = 0
    for index in range(first, len(argv)):
        size: i64 = len(argv[index])
        if size > limits.hash_listpack_value:
            return True
        total += size
    return total > listpack.SAFE_BYTES
