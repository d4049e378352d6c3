"""Sets: distinct members, without an order.

Theory of operation: a small set of integers is an intset, another small set a listpack, and a large one a `Table` whose
keys are the members. A set moves on along this way and not back, by the rules of Redis 7.2: an intset that gets
another text becomes a listpack, or a `Table` where a listpack may not be so large; each form becomes a `Table` when it
outgrows its limits. Who adds many members announces them with `prepare`, because Redis chooses the form of a set by the
number of arguments, duplicates included. Two things start afresh, with a form that is right for what they hold: the
result of a set operation (`gather`), and a set most of which was popped.
"""

from typing import Final, cast

from mypy_extensions import i64, mypyc_attr

from aikv.base.numbers import parse_i64
from aikv.base.random import Random
from aikv.datatypes import intset, listpack, listpack_check
from aikv.datatypes.kinds import KINDS, Kind
from aikv.datatypes.limits import Limits
from aikv.datatypes.memory import allocated, table_memory
from aikv.datatypes.sampling import all_keys, distinct, distinct_keys, repeated, repeated_keys
from aikv.datatypes.table import Table

# Redis's own: an intset is never larger, whatever the limit.
_LARGEST_INTSET: Final = 1 << 30
# Where what remains is less than one fifth of what is popped, Redis builds the set anew.
_REBUILD_FACTOR: Final = 5
# From so many on, members are looked up in a small set by reading it once.
_FEW: Final = 4
_NONE: Final = b""


# Without a place among the collector's objects each takes 16 bytes less.
@mypyc_attr(acyclic=True)
class Set:
    """Distinct bytes. n is their number; a small set has at most some hundred."""

    def __init__(self) -> None:
        # The bytes of an intset or a listpack; of a large set nothing.
        self.pack: bytes = intset.EMPTY
        self.table: Table | None = None
        self.is_intset: bool = True

    def __len__(self) -> int:
        table = self.table
        if table is not None:
            return table.used
        return intset.length(self.pack) if self.is_intset else listpack.length(self.pack)

    def encoding(self) -> bytes:
        """OBJECT ENCODING's word for the form."""
        if self.table is not None:
            return b"hashtable"
        return b"intset" if self.is_intset else b"listpack"

    def __contains__(self, member: bytes) -> bool:
        """O(1), of an intset O(log n), of a listpack O(n)."""
        table = self.table
        if table is not None:
            return table.get(member) is not None
        if not self.is_intset:
            return listpack.find(self.pack, member) >= 0
        number = parse_i64(member)
        return number is not None and intset.contains(self.pack, number)

    def prepare(self, first: bytes, count: int, limits: Limits) -> None:
        """Choose the form for `count` members that will be added now, of which `first` is the first."""
        if self.table is not None:
            return
        if len(self):
            room: i64 = limits.set_intset_entries if self.is_intset else limits.set_listpack_entries
            if count > room:
                self._enlarge()
        elif parse_i64(first) is not None and count <= limits.set_intset_entries:
            self._become_intset(intset.EMPTY)
        elif count <= limits.set_listpack_entries:
            self._become_listpack(listpack.EMPTY)
        else:
            self._enlarge()

    def add(self, member: bytes, limits: Limits) -> bool:
        """Add `member`; True where it is new. O(1), small O(n)."""
        table = self.table
        if table is not None:
            return table.set(member, True)
        if self.is_intset:
            return self._add_to_intset(member, limits)
        pack = self.pack
        if listpack.find(pack, member) >= 0:
            return False
        if self._takes(listpack.length(pack), member, limits) and listpack.safe_to_add(pack, len(member)):
            self.pack = listpack.append(pack, member)
            return True
        return self._enlarge().set(member, True)

    def add_many(self, argv: list[bytes], first: int, limits: Limits) -> int:
        """Add the members in `argv` from index `first` on, of which there are some; returns how many are new (SADD)."""
        count: i64 = len(argv) - first
        table = self.table
        if table is not None and count == 1:
            return 1 if table.set(argv[first], True) else 0
        # One more member asks for no other form, unless this one is not allowed at all, or is that of an empty set.
        if count > 1 or self.is_intset or self.pack is listpack.EMPTY or limits.set_listpack_entries == 0:
            self.prepare(argv[first], count, limits)
        if count == 1:
            return 1 if self.add(argv[first], limits) else 0
        if self.table is None and not len(self) and self._fill(list(dict.fromkeys(argv[first:])), limits):
            return len(self)
        added: i64 = 0
        for index in range(first, len(argv)):
            if self.add(argv[index], limits):
                added += 1
        return added

    def remove(self, member: bytes) -> bool:
        """Remove `member`; whether it was there. O(1), small O(n)."""
        table = self.table
        if table is not None:
            return table.pop(member) is not None
        pack = self.pack
        if self.is_intset:
            number = parse_i64(member)
            if number is not None:
                self.pack = intset.remove(pack, number)
            return self.pack is not pack
        offset: i64 = listpack.find(pack, member)
        if offset < 0:
            return False
        self.pack = listpack.delete(pack, offset)
        return True

    def members(self) -> list[bytes]:
        """All members; of an intset in ascending order. O(n)."""
        table = self.table
        if table is not None:
            return all_keys(table)
        return intset.texts(self.pack) if self.is_intset else listpack.entries(self.pack)

    def as_set(self) -> set[bytes]:
        """The members as a Python set that belongs to the caller. O(n)."""
        return set(self.members())

    def select(self, candidates: list[bytes], present: bool, limit: int = -1) -> list[bytes]:
        """Those of `candidates` that are members or, with `present` False, those that are not, in their order.

        The step of SINTER (fold over the other sets) and SDIFF; `limit`, unless negative, is how many are enough
        (SINTERCARD). O(candidates), small O(n + candidates).
        """
        chosen: list[bytes] = []
        table = self.table
        known: set[bytes] | None = None
        if table is None and len(candidates) > _FEW:
            known = self.as_set()
        for candidate in candidates:
            if len(chosen) == limit:
                break
            if known is not None:
                found = candidate in known
            else:
                found = candidate in self
            if found is present:
                chosen.append(candidate)
        return chosen

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """One step of SSCAN from `cursor`: the next cursor, 0 at the end, and about `count` members.

        A small set gives all at once.
        """
        table = self.table
        return (0, self.members()) if table is None else table.scan(cursor, count)

    def random_member(self, random: Random) -> bytes:
        """A member, each as likely as any other; the set is not empty. O(1), of a listpack O(n)."""
        table = self.table
        if table is not None:
            return cast(bytes, table.random_key(random))
        index: i64 = random.below(len(self))
        if self.is_intset:
            return b"%d" % intset.at(self.pack, index)
        return listpack.entry_at(self.pack, listpack.offset_of(self.pack, index))

    def random_members(self, random: Random, count: int) -> list[bytes]:
        """`count` distinct members, or all where there are not more; every choice is equally likely.

        O(count), small O(n).
        """
        table = self.table
        return distinct(self.members(), count, random) if table is None else distinct_keys(table, count, random)

    def random_members_repeating(self, random: Random, count: int) -> list[bytes]:
        """`count` members, each drawn from all; the set is not empty. O(count), small O(n + count)."""
        table = self.table
        return repeated(self.members(), count, random) if table is None else repeated_keys(table, count, random)

    def pop(self, random: Random) -> bytes:
        """Remove a member, each as likely as any other, and return it; the set is not empty. O(1), small O(n)."""
        member = self.random_member(random)
        self.remove(member)
        return member

    def pop_many(self, random: Random, count: int, limits: Limits) -> list[bytes]:
        """Remove `count` members, fewer than there are, and return them. O(count), small O(n)."""
        popped = self.random_members(random, count)
        table = self.table
        if table is not None:
            for member in popped:
                table.pop(member)
            if table.used * _REBUILD_FACTOR <= count:
                self._become_listpack(listpack.EMPTY)
                for member in all_keys(table):
                    self.add(member, limits)
            return popped
        gone = set(popped)
        rest = [member for member in self.members() if member not in gone]
        self.pack = _intset_of(rest) if self.is_intset else listpack.from_texts(rest)
        return popped

    def hold(self, table: Table) -> None:
        """Consist of the keys of `table`, whose values are True, and of nothing else. O(1)."""
        self.table = table
        self.pack = _NONE
        self.is_intset = False

    def copy(self) -> "Set":
        """An equal set that shares nothing with this one that can change. O(n), small O(1)."""
        copied = Set()
        copied.pack = self.pack
        copied.is_intset = self.is_intset
        table = self.table
        if table is not None:
            members = Table()
            for bucket in table.buckets:
                for member in bucket:
                    members.set(member, True)
            copied.hold(members)
        return copied

    def _add_to_intset(self, member: bytes, limits: Limits) -> bool:
        pack = self.pack
        number = parse_i64(member)
        if number is not None:
            self.pack = intset.add(pack, number)
            if self.pack is pack:
                return False
            if intset.length(self.pack) > min(limits.set_intset_entries, _LARGEST_INTSET):
                self._enlarge()
            return True
        texts = intset.texts(pack)
        # The longest text of an ascending row of numbers is the first or the last.
        longest: i64 = max(len(texts[0]), len(texts[-1])) if texts else 0
        if longest <= limits.set_listpack_value and self._takes(len(texts), member, limits):
            texts.append(member)
            self._become_listpack(listpack.from_texts(texts))
            return True
        return self._enlarge().set(member, True)

    def _takes(self, count: i64, member: bytes, limits: Limits) -> bool:
        """Whether a listpack of `count` members may take `member` as one more."""
        return count < limits.set_listpack_entries and len(member) <= limits.set_listpack_value

    def _fill(self, members: list[bytes], limits: Limits) -> bool:
        """Hold distinct `members`, in the form that this empty small set has, if that will do.

        The bytes are made at once.
        """
        if self.is_intset:
            if not _all_integers(members):
                return False
            self.pack = _intset_of(members)
            return True
        total: i64 = 0
        for member in members:
            size: i64 = len(member)
            if size > limits.set_listpack_value:
                return False
            total += size
        if total > listpack.SAFE_BYTES:
            return False
        self.pack = listpack.from_texts(members)
        return True

    def _become_intset(self, pack: bytes) -> None:
        self.pack = pack
        self.is_intset = True
        self.table = None

    def _become_listpack(self, pack: bytes) -> None:
        self.pack = pack
        self.is_intset = False
        self.table = None

    def _enlarge(self) -> Table:
        """Become a `Table`, which is returned."""
        table = Table()
        for member in self.members():
            table.set(member, True)
        self.hold(table)
        return table

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        table = self.table
        if table is not None:
            assert not self.pack
            assert not self.is_intset
            table._check()
        elif self.is_intset:
            assert intset.validated(self.pack) is self.pack
        else:
            assert listpack_check.validated(self.pack) is self.pack
        members = self.members()
        assert len(set(members)) == len(members) == len(self)
        assert all(member in self for member in members)


class SetKind(Kind):
    """`Set`."""

    def __init__(self) -> None:
        super().__init__(b"set")

    def encoding(self, value: object) -> bytes:
        return cast(Set, value).encoding()

    def copy(self, value: object) -> object:
        return cast(Set, value).copy()

    def memory(self, value: object, samples: int) -> int:
        held = cast(Set, value)
        table = held.table
        return allocated(held) + (allocated(held.pack) if table is None else table_memory(table, samples))


KINDS[Set] = SetKind()


def from_intset(pack: bytes, limits: Limits) -> Set:
    """The set of the numbers in the intset `pack`. O(1), large O(n)."""
    made = Set()
    made.pack = pack
    if len(made) > min(limits.set_intset_entries, _LARGEST_INTSET):
        made._enlarge()
    return made


def from_listpack(pack: bytes, limits: Limits) -> Set:
    """The set of the distinct members in the listpack `pack`. O(1), large O(n)."""
    made = Set()
    made._become_listpack(pack)
    if len(made) > limits.set_listpack_entries:
        made._enlarge()
    return made


def gather(members: list[bytes], limits: Limits) -> Set:
    """The set of distinct `members` in the form that a command that stores its result gives it. O(n)."""
    result = Set()
    if not members:
        return result
    room: i64 = min(limits.set_intset_entries, _LARGEST_INTSET)
    if _all_integers(members):
        if len(members) <= room:
            result.pack = _intset_of(members)
            return result
    elif len(members) <= limits.set_listpack_entries:
        result._become_listpack(listpack.EMPTY)
        if result._fill(members, limits):
            return result
    table = result._enlarge()
    for member in members:
        table.set(member, True)
    return result


def _all_integers(members: list[bytes]) -> bool:
    # A generator for `all` takes longer to make than the first member to look at, which mostly decides.
    for member in members:  # noqa: SIM110
        if parse_i64(member) is None:
            return False
    return True


def _intset_of(members: list[bytes]) -> bytes:
    """The intset of distinct `members`, which are canonical integers."""
    numbers = [int(member) for member in members]
    numbers.sort()
    return intset.from_numbers(numbers)
