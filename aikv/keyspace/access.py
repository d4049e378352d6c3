"""When a key was last used, for OBJECT IDLETIME and FREQ and for eviction.

Theory of operation: a string value is a bare Python object with no room for a timestamp, and a second full table of
times would double the cost of small keys. So times are kept exactly for the keys used most recently, in two
generations: a touch writes the young one; when that is full it becomes the old one and the former old one is dropped.
Of a key in neither it is known that it was last used no later than the drop, and that bound is what IDLETIME answers.
A dataset of up to `GENERATION` keys is therefore exact, as in Redis; a larger one is exact for its warm part.

Under an LFU policy an entry holds Redis's counter instead: the minute of the last decay in the upper bits and a
logarithmic 8-bit count in the lower (https://redis.io/docs/latest/develop/reference/eviction/).
"""

from typing import Final

from aikv.base.random import Random

GENERATION: Final = 65_536
LFU_INITIAL: Final = 5
_COUNTER_MAX: Final = 255


class AccessTimes:
    """Last use of the keys of one database; all times in whole seconds of Unix time."""

    def __init__(self, now_s: int) -> None:
        self._young: dict[bytes, object] = {}
        self._old: dict[bytes, object] = {}
        # No key outside both generations has been used after this time.
        self._floor = now_s
        self._closed = now_s
        # The last touch: another one of the same key in the same second, as of a list that is filled by a pipeline,
        # is a comparison instead of a look-up. None as the time where there is none to compare with.
        self._latest = b""
        self._latest_s: object = None

    def touch(self, key: bytes, now_s: object) -> None:
        """Note a use of `key`; `now_s` is an int, boxed once per second by the caller instead of once per call."""
        if now_s is self._latest_s and key == self._latest:
            return
        self._latest = key
        self._latest_s = now_s
        self._young[key] = now_s
        if len(self._young) > GENERATION:
            self._age(now_s)

    def idle(self, key: bytes, now_s: int) -> int:
        """Seconds since the last known use of `key`."""
        last = self._entry(key)
        return max(0, now_s - (self._floor if last is None else last))

    def set_idle(self, key: bytes, idle_s: int, now_s: int) -> None:
        """Make `key` look unused for `idle_s` seconds (RESTORE's IDLETIME)."""
        self._put(key, now_s - idle_s, now_s)

    def forget(self, key: bytes) -> None:
        """Drop what is known of a removed key."""
        self._latest_s = None
        self._young.pop(key, None)
        self._old.pop(key, None)

    def clear(self, now_s: int) -> None:
        """Forget all keys."""
        self._latest_s = None
        self._young = {}
        self._old = {}
        self._floor = now_s
        self._closed = now_s

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
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.get(key)
        return entry if isinstance(entry, int) else None

    def _put(self, key: bytes, entry: int, now_s: int) -> None:
        self._latest_s = None
        self._young[key] = entry
        if len(self._young) > GENERATION:
            self._age(now_s)

    def _age(self, now_s: object) -> None:
        self._old = self._young
        self._young = {}
        self._floor = self._closed
        assert isinstance(now_s, int)
        self._closed = now_s


def _decayed(entry: int, minute: int, decay_minutes: int) -> int:
    counter = entry & _COUNTER_MAX
    if decay_minutes:
        counter = max(0, counter - (minute - (entry >> 8)) // decay_minutes)
    return counter
