"""The scannable hash table: a dict that can be walked in slices, sampled, and grown without a pause.

Theory of operation: a Python dict has no stable cursor, no random key in constant time, and copies itself whole when it
grows. `Table` is a list of small dicts ("buckets", some hundred keys each) grown by linear hashing (Litwin 1980): there
are ``2**level + split`` buckets; a key's bucket is the low `level` bits of its hash, or `level + 1` bits where that
bucket has already been split. When the average load passes `SPLIT_AT` the bucket at `split` is divided in two; when it
falls below `MERGE_AT` the last bucket goes back into its parent. So the longest pause is one bucket.

The SCAN cursor is a position in the order of bit-reversed hashes (Redis's own idea, by Pieter Noordhuis): splitting
and merging only refine or coarsen that order, so whatever is in the table from the beginning to the end of a scan is
returned. Because the order is one of hashes and not of buckets, a step can take a part of a bucket: `scan` picks as
many hash bits as give about the wanted number of keys.

Hashes of bytes are seeded per process (SipHash), so a client cannot choose keys that fall into one bucket.

A hash is mostly more than mypyc keeps in an int without making an object, which takes some 250 instructions: a
table of one bucket, as most collections are, asks for none.

The index of a key's bucket is computed in four places in the same words: `get`, `bucket_of`, `set` and `pop`. Every
command comes through one of them, and an interpreter would pay for a call in each with a quarter of a look-up.

Costs: get, set, delete O(1); `scan` O(bucket); `random_key` O(bucket) with a bucket of at most a few hundred keys.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from mypy_extensions import i64

from aikv.base.random import Random

SPLIT_AT: Final = 256
MERGE_AT: Final = 64
_CURSOR_MASK: Final = (1 << 48) - 1
# More keys than fit into memory; keeps the arithmetic of a scan within 64 bits.
_LARGEST_COUNT: Final = 1 << 40


class Table:
    """A map from bytes to objects other than None."""

    def __init__(self) -> None:
        self.buckets: list[dict[bytes, object]] = [{}]
        self.used: i64 = 0
        # Bits that choose among buckets not yet split in this round, and among those already split.
        self._mask: i64 = 0
        self._wide_mask: i64 = 1
        self._split: i64 = 0

    def __len__(self) -> int:
        return self.used

    def get(self, key: bytes) -> object | None:
        """The value of `key`, or None."""
        index: i64 = 0
        if self._mask:
            h: i64 = hash(key)
            index = h & self._mask
            if index < self._split:
                index = h & self._wide_mask
        return self.buckets[index].get(key)

    def __contains__(self, key: bytes) -> bool:
        return self.get(key) is not None

    def bucket_of(self, key: bytes) -> dict[bytes, object]:
        """The bucket that `key` is in, or would be."""
        index: i64 = 0
        if self._mask:
            h: i64 = hash(key)
            index = h & self._mask
            if index < self._split:
                index = h & self._wide_mask
        return self.buckets[index]

    def values(self) -> Iterator[object]:
        """All values; the table must not change meanwhile."""
        for bucket in self.buckets:
            yield from bucket.values()

    def set(self, key: bytes, value: object) -> bool:
        """Put `value` under `key`; True when the key is new."""
        index: i64 = 0
        if self._mask:
            h: i64 = hash(key)
            index = h & self._mask
            if index < self._split:
                index = h & self._wide_mask
        bucket = self.buckets[index]
        before: i64 = len(bucket)
        bucket[key] = value
        if len(bucket) == before:
            return False
        self.used += 1
        if self.used > SPLIT_AT * len(self.buckets):
            self._split_one()
        return True

    def pop(self, key: bytes) -> object | None:
        """Remove `key`; returns its value, or None when it was not there."""
        index: i64 = 0
        if self._mask:
            h: i64 = hash(key)
            index = h & self._mask
            if index < self._split:
                index = h & self._wide_mask
        value = self.buckets[index].pop(key, None)
        if value is not None:
            self.used -= 1
            if self.used < MERGE_AT * (len(self.buckets) - 1):
                self._merge_one()
        return value

    def reserve(self, count: int) -> None:
        """Take the shape for `count` keys that will be set now, if the table is empty; `fit` has to follow.

        A table that is filled at one go is spared the splits, which are a third of the time of filling it.
        """
        wanted: i64 = count // SPLIT_AT + 1
        if self.used == 0 and wanted > len(self.buckets):
            level: i64 = 1
            while 2 * level <= wanted:
                level *= 2
            self.buckets = [{} for _ in range(wanted)]
            self._mask = level - 1
            self._wide_mask = 2 * level - 1
            self._split = wanted - level

    def fit(self) -> None:
        """Give up the buckets that are too many for the keys. O(buckets)."""
        while self.used < MERGE_AT * (len(self.buckets) - 1):
            self._merge_one()

    def clear(self) -> list[dict[bytes, object]]:
        """Empty the table; returns the old buckets, so that the caller chooses when to pay for freeing them."""
        old = self.buckets
        self.buckets = [{}]
        self.used = 0
        self._mask = 0
        self._wide_mask = 1
        self._split = 0
        return old

    def keys(self) -> Iterator[bytes]:
        """All keys; the table must not change meanwhile."""
        for bucket in self.buckets:
            yield from bucket

    def random_key(self, random: Random) -> bytes | None:
        """A key, each as likely as any other; None when the table is empty.

        A bucket is drawn and accepted with a probability in proportion to its size, which makes keys, not buckets,
        equally likely.
        """
        if self.used == 0:
            return None
        # Above every bucket's size: unsplit ones near the end of a round hold about 2 * SPLIT_AT, give or take 23.
        limit = 3 * SPLIT_AT
        count = len(self.buckets)
        if count == 1:
            return _nth(self.buckets[0], random.below(self.used))
        while True:
            bucket = self.buckets[random.below(count)]
            position = random.below(limit)
            if position < len(bucket):
                return _nth(bucket, position)

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """One step of a SCAN from `cursor` (0 starts); returns the next cursor (0 at the end) and about `count` keys.

        Source of the cursor: Redis's dictScan, generalised to any number of hash bits.
        """
        found: list[bytes] = []
        if self.used == 0:
            return 0, found
        # No cursor of ours is larger; one that a client made up is a position like any other.
        cursor &= _CURSOR_MASK
        count = min(count, _LARGEST_COUNT)
        while True:
            cursor = self._scan_part(cursor, count, found)
            if cursor == 0 or len(found) >= count:
                return cursor, found

    def _scan_part(self, cursor: int, count: int, found: list[bytes]) -> int:
        position: i64 = cursor
        index: i64 = position & self._mask
        mask: i64 = self._mask
        if index < self._split:
            index = position & self._wide_mask
            mask = self._wide_mask
        bucket = self.buckets[index]
        # Take more hash bits than choose the bucket while what they select is still more than was asked for.
        share: i64 = len(bucket)
        part: i64 = mask
        while share > 2 * count and part < (1 << 47):
            part = part * 2 + 1
            share >>= 1
        if part == mask:
            found.extend(bucket)
        else:
            wanted: i64 = position & part
            for key in bucket:
                h: i64 = hash(key)
                if h & part == wanted:
                    found.append(key)
        return _next_position(position, part)

    def _split_one(self) -> None:
        """Divide the bucket at `split` by the next hash bit."""
        old = self.buckets[self._split]
        bit: i64 = self._mask + 1
        stay: dict[bytes, object] = {}
        move: dict[bytes, object] = {}
        for key, value in old.items():
            h: i64 = hash(key)
            if h & bit:
                move[key] = value
            else:
                stay[key] = value
        self.buckets[self._split] = stay
        self.buckets.append(move)
        self._split += 1
        if self._split > self._mask:
            self._split = 0
            self._mask = self._wide_mask
            self._wide_mask = self._wide_mask * 2 + 1

    def _merge_one(self) -> None:
        """Put the last bucket back into the one that it was split from."""
        if self._split == 0:
            self._wide_mask = self._mask
            self._mask >>= 1
            self._split = self._mask + 1
        self._split -= 1
        # A new dict, because one that had many keys removed keeps the room for them.
        merged = dict(self.buckets[self._split])
        merged.update(self.buckets.pop())
        self.buckets[self._split] = merged

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        assert len(self.buckets) == self._mask + 1 + self._split
        assert self._wide_mask == self._mask * 2 + 1
        assert 0 <= self._split <= self._mask
        total = 0
        for number, bucket in enumerate(self.buckets):
            total += len(bucket)
            for key in bucket:
                index = hash(key) & self._mask
                if index < self._split:
                    index = hash(key) & self._wide_mask
                assert index == number, (key, index, number)
        assert total == self.used


def _next_position(position: i64, mask: i64) -> int:
    """Add one to `position` counted from its most significant masked bit downwards; 0 when all have been visited."""
    bit: i64 = (mask + 1) >> 1
    position &= mask
    while bit and position & bit:
        position ^= bit
        bit >>= 1
    return position | bit


def _nth(bucket: dict[bytes, object], position: int) -> bytes:
    return next(islice(bucket, position, None))
