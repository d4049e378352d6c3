"""When a key was last used, for OBJECT IDLETIME and FREQ and for eviction.

Theory of operation: a string value is a bare Python object with no room for a timestamp, and a second full table of
times would double the cost of small keys. So times are kept exactly for the keys used most recently, in two
generations: a touch writes the young one; when that is full it becomes the old one and the former old one is dropped.
Of a key in neither it is known that it was last used no later than the drop, and that bound is what IDLETIME answers.
A dataset of up to `GENERATION` keys is therefore exact, as in Redis; a larger one is exact for its warm part.

Keys are divided among shards by their hashes, and each shard ages alone. For to drop an entry is to free a key, which
lies on a page of its own among the dataset; while a forked child shares that page the system copies it first. Dropped
all at once, a generation was a pause of 40 to 100 ms then (and of 5 ms without a child); a shard's is one of a
millisecond.

Under an LFU policy an entry holds Redis's counter instead: the minute of the last decay in the upper bits and a
logarithmic 8-bit count in the lower (https://redis.io/docs/latest/develop/reference/eviction/).
"""

from typing import Final

from mypy_extensions import i64

from aikv.base.random import Random

GENERATION: Final = 65_536
SHARDS: Final = 64
# A shard's part of a generation, and six standard deviations more: keys are not spread evenly.
SHARE: Final = 1216
LFU_INITIAL: Final = 5
_COUNTER_MAX: Final = 255


class AccessTimes:
    """Last use of the keys of one database; all times in whole seconds of Unix time."""

    def __init__(self, now_s: int) -> None:
        self._young: list[dict[bytes, object]] = [{} for _ in range(SHARDS)]
        self._old: list[dict[bytes, object]] = [{} for _ in range(SHARDS)]
        # For each shard: no key outside both generations has been used after this time.
        self._floor: list[int] = [now_s] * SHARDS
        self._closed: list[int] = [now_s] * SHARDS

    def touch(self, key: bytes, now_s: object) -> None:
        """Note a use of `key`; `now_s` is an int, boxed once per second by the caller instead of once per call."""
        # Not called: interpreted, that would take as long as all the rest.
        h: i64 = hash(key)
        shard: i64 = h & (SHARDS - 1)
        young = self._young[shard]
        young[key] = now_s
        if len(young) > SHARE:
            self._age(shard, now_s)

    def idle(self, key: bytes, now_s: int) -> int:
        """Seconds since the last known use of `key`."""
        last = self._entry(key)
        return max(0, now_s - (self._floor[_shard_of(key)] if last is None else last))

    def set_idle(self, key: bytes, idle_s: int, now_s: int) -> None:
        """Make `key` look unused for `idle_s` seconds (RESTORE's IDLETIME)."""
        self._put(key, now_s - idle_s, now_s)

    def forget(self, key: bytes) -> None:
        """Drop what is known of a removed key."""
        shard = _shard_of(key)
        self._young[shard].pop(key, None)
        self._old[shard].pop(key, None)

    def clear(self, now_s: int) -> list[dict[bytes, object]]:
        """Forget all keys; returns what held them, so that the caller chooses when to pay for freeing them."""
        old = [generation for generation in self._young + self._old if generation]
        self._young = [{} for _ in range(SHARDS)]
        self._old = [{} for _ in range(SHARDS)]
        self._floor = [now_s] * SHARDS
        self._closed = [now_s] * SHARDS
        return old

    def frequency(self, key: bytes, now_s: int, decay_minutes: int) -> int:
        """The LFU counter of `key`, decayed to now."""
        entry = self._entry(key)
        return LFU_INITIAL if entry is None else _decayed(entry, now_s // 60, decay_minutes)

    def set_frequency(self, key: bytes, counter: int, now_s: int) -> None:
        """Set the LFU counter of `key` (RESTORE's FREQ)."""
        self._put(key, (now_s // 60) << 8 | counter, now_s)

    def touch_frequency(self, key: bytes, now_s: int, decay_minutes: int, factor: int, random: Random) -> None:
        """Note a use of `key` under an LFU policy: the larger the counter, the less likely it grows.

        The first use, which for a new key is its creation, only starts the counter.
        """
        entry = self._entry(key)
        counter = LFU_INITIAL
        if entry is not None:
            counter = _decayed(entry, now_s // 60, decay_minutes)
            excess = max(0, counter - LFU_INITIAL)
            if counter < _COUNTER_MAX and random.below(excess * factor + 1) == 0:
                counter += 1
        self.set_frequency(key, counter, now_s)

    def _entry(self, key: bytes) -> int | None:
        shard = _shard_of(key)
        entry = self._young[shard].get(key)
        if entry is None:
            entry = self._old[shard].get(key)
        return entry if isinstance(entry, int) else None

    def _put(self, key: bytes, entry: int, now_s: int) -> None:
        shard = _shard_of(key)
        young = self._young[shard]
        young[key] = entry
        if len(young) > SHARE:
            self._age(shard, now_s)

    def _age(self, shard: i64, now_s: object) -> None:
        self._old[shard] = self._young[shard]
        self._young[shard] = {}
        self._floor[shard] = self._closed[shard]
        assert isinstance(now_s, int)
        self._closed[shard] = now_s

    def _check(self) -> None:
        """Raise AssertionError unless every invariant holds."""
        for shard in range(SHARDS):
            for generation in (self._young[shard], self._old[shard]):
                assert len(generation) <= SHARE + 1
                assert all(_shard_of(key) == shard for key in generation)


def _shard_of(key: bytes) -> i64:
    h: i64 = hash(key)
    return h & (SHARDS - 1)


def _decayed(entry: int, minute: int, decay_minutes: int) -> int:
    counter = entry & _COUNTER_MAX
    if decay_minutes:
        counter = max(0, counter - (minute - (entry >> 8)) // decay_minutes)
    return counter
