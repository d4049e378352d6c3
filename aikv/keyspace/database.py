"""One numbered database: keys, values and times to live.

Theory of operation: values and expiry times live in two `Table`s, so a key without a TTL costs nothing for the
feature, and a look-up asks the second table only while it has any entry. A key past its time is never served: `find`
removes it first and tells the `Watcher`, whoever looks; the active cycle (`keyspace.expiry`) removes those that
nobody asks for.

A database knows nothing of clients, journals or events. What must follow from a change is the engine's affair, which is
told of the one change that no command makes, an expiry, through the `Watcher` it passes in.

Fields of hashes run out, too (`datatypes.hashes`). `hash_times` knows of each hash that has a field with a time when
its next one runs out, or earlier: who gives fields times, or stores a value whose fields may have some, says so by
`follow_fields`; that a time was dropped is found out when it comes. While it has never been said, a look-up asks one
attribute. What is due is removed before a hash is handed out, so nobody else has to ask for times.

Times are Unix milliseconds; -1 means no TTL. In the millisecond that it names a key or field is still there, as in
Redis; only a command that sets such a time finds that it has come.
"""

from typing import Final

from mypy_extensions import i64, mypyc_attr

from aikv.datatypes.field_times import NO_TIME, FieldTimes
from aikv.datatypes.hashes import Hash
from aikv.datatypes.table import Table
from aikv.keyspace.access import AccessTimes
from aikv.keyspace.watch import Watch

NO_EXPIRY: Final = -1


@mypyc_attr(allow_interpreted_subclasses=True)
class Watcher:
    """Told of what happens to keys without a command."""

    def expired(self, database: "Database", key: bytes) -> None:
        """`key` has run out and has just been removed."""

    def fields_expired(self, database: "Database", key: bytes, fields: list[bytes], emptied: bool) -> None:
        """`fields` of the hash at `key` have run out and have just been removed; if `emptied`, so has the key."""

    def run_out(self, value: object) -> None:
        """`value`, which is not `bytes`, has run out; it may be large."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Waiter:
    """Somebody who waits for a key; what that means is the engine's affair."""


class Database:
    """The keyspace of one database number."""

    def __init__(self, index: int, watcher: Watcher, now_s: int = 0) -> None:
        self.index = index
        self.table = Table()
        self.expires = Table()
        # Keys of hashes with fields that have times; None while there has never been one.
        self.hash_times: FieldTimes | None = None
        self.access = AccessTimes(now_s)
        self.watcher = watcher
        # Set while clients are paused: a key past its time is hidden then, not removed.
        self.keep_expired = False
        # Set while a file is loaded: no key runs out then, because what follows in the file may refer to it.
        self.loading = False
        # Whether there has been a value other than a string: what is stored over one may be large.
        self.collections = False
        # Where the active expiry cycle goes on: keys to be looked at first, and the cursor behind them.
        self.expire_next: list[bytes] = []
        self.expire_cursor = 0
        # WATCHed keys: key -> client id -> watch. Kept by the engine; here because it belongs to the keys.
        self.watched: dict[bytes, dict[int, Watch]] = {}
        # The key that was used last, and its value, which may be taken from here while the second of that use,
        # `recent_s`, lasts; None there says that it may not. So long neither the key nor a field runs out, and the use
        # is noted. Who fills a collection names one key again and again, and is spared three look-ups.
        self.recent_key = b""
        self.recent: object | None = None
        self.recent_s: object = None
        self.recent_has_ttl = False
        self._recent_bucket: dict[bytes, object] | None = None
        # Keys that clients wait for: key -> client id -> wait, in the order in which they came. Kept by the engine.
        self.waiting: dict[bytes, dict[int, Waiter]] = {}

    def __len__(self) -> int:
        return self.table.used

    def find(self, key: bytes, now: i64) -> object | None:
        """The value of `key` at time `now` (ms), or None; a key past its time is removed first."""
        value = self.table.get(key)
        if value is None:
            return None
        if self.expires.used:
            when = self.expires.get(key)
            if when is not None and isinstance(when, int) and when < now and not self.loading:
                if not self.keep_expired:
                    self.expire(key)
                return None
        if self.hash_times is not None:
            return self._without_due_fields(key, value, now)
        return value

    def put(self, key: bytes, value: object) -> bool:
        """Store `value`, leaving the TTL as it is; True when the key is new."""
        self.recent = None
        self.recent_s = None
        if not self.collections and type(value) is not bytes and type(value) is not int:
            self.collections = True
        return self.table.set(key, value)

    def put_used(self, key: bytes, value: object, now_s: object) -> bool:
        """`put` and `use`."""
        if not self.collections and type(value) is not bytes and type(value) is not int:
            self.collections = True
        created = self.table.set(key, value)
        self.use(key, value, now_s)
        return created

    def put_recent(self, value: object) -> None:
        """Store `value` at `recent_key`, which may be relied on."""
        bucket = self._recent_bucket
        if bucket is None:
            bucket = self._recent_bucket = self.table.bucket_of(self.recent_key)
        bucket[self.recent_key] = value
        self.recent = value
        if not self.collections and type(value) is not bytes and type(value) is not int:
            self.collections = True

    def use(self, key: bytes, value: object, now_s: object) -> None:
        """Note a use of `key`, which holds `value`, in the second `now_s` (see `AccessTimes.touch`)."""
        self.access.touch(key, now_s)
        # Whatever has been stored may have moved what was remembered to another bucket.
        self._recent_bucket = None
        when = self.expires.get(key) if self.expires.used else None
        if self.hash_times is None and (when is None or _outlasts(when, now_s)):
            self.recent_key = key
            self.recent_has_ttl = when is not None
            self.recent = value
            self.recent_s = now_s

    def remove(self, key: bytes) -> object | None:
        """Remove `key` and its TTL; returns its value, or None."""
        value = self.table.pop(key)
        if value is not None:
            self._forget_recent()
            if self.expires.used:
                self.expires.pop(key)
            if self.hash_times is not None:
                self.hash_times.drop(key)
            self.access.forget(key)
        return value

    def expire(self, key: bytes) -> None:
        """Remove a key that is past its time, and tell the watcher."""
        value = self.remove(key)
        self.watcher.expired(self, key)
        if value is not None and type(value) is not bytes:
            self.watcher.run_out(value)

    def expire_of(self, key: bytes) -> int:
        """Unix ms at which `key` runs out, or -1."""
        when = self.expires.get(key)
        return when if isinstance(when, int) else NO_EXPIRY

    def is_expired(self, key: bytes, now: i64) -> bool:
        """Whether `key` is still in its place but past its time at `now` (ms)."""
        when = self.expires.get(key)
        return isinstance(when, int) and when < now

    def set_expire(self, key: bytes, when: int) -> None:
        """Let `key`, which exists, run out at Unix ms `when`."""
        self._forget_recent()
        self.expires.set(key, when)

    def persist(self, key: bytes) -> bool:
        """Drop the TTL; True when there was one."""
        return self.expires.pop(key) is not None

    def set_idle(self, key: bytes, idle_s: int, now_s: int) -> None:
        """Make `key` look unused for `idle_s` seconds."""
        self._forget_recent()
        self.access.set_idle(key, idle_s, now_s)

    def expires_count(self) -> int:
        """Number of keys with a TTL."""
        return self.expires.used

    def follow_fields(self, key: bytes, value: object) -> None:
        """Note the times of the fields of `value`, which is what `key` holds, and may be no hash."""
        if not isinstance(value, Hash):
            return
        when = value.next_expiry()
        times = self.hash_times
        if when == NO_TIME:
            if times is not None:
                times.drop(key)
        else:
            if times is None:
                self._forget_recent()
                times = self.hash_times = FieldTimes()
            times.set(key, when)

    def expire_fields(self, key: bytes, held: Hash, now: int, limit: int = -1) -> int:
        """Remove fields of `held`, which is at `key`, whose time is before `now` (ms); with the last the key goes.

        At most `limit` of them, unless that is negative; returns how many there were. The watcher is told.
        """
        fields = held.expire_fields(now, limit)
        if fields:
            emptied = len(held) == 0
            if emptied:
                self.remove(key)
            else:
                self.follow_fields(key, held)
            self.watcher.fields_expired(self, key, fields, emptied)
        else:
            self.follow_fields(key, held)
        return len(fields)

    def has_field_times(self) -> bool:
        """Whether a field of any hash has a time, run out or not."""
        if self.hash_times is not None:
            for key, _ in self.hash_times.items():
                value = self.table.get(key)
                if isinstance(value, Hash) and value.next_expiry() != NO_TIME:
                    return True
        return False

    def touch_watchers(self, key: bytes) -> None:
        """`key` has been changed: spoil the transactions of clients that WATCH it."""
        watches = self.watched.get(key)
        if watches is not None:
            exists = self.table.get(key) is not None
            for watch in watches.values():
                watch.touch(exists)

    def buckets(self) -> list[dict[bytes, object]]:
        """The table's buckets, for a writer that walks the whole database."""
        return self.table.buckets

    def clear(self, now_s: int) -> list[dict[bytes, object]]:
        """Remove all keys; returns the old buckets, so that the caller chooses when to pay for freeing them."""
        self._forget_recent()
        self.expire_next = []
        self.expire_cursor = 0
        self.hash_times = None
        self.collections = False
        return self.access.clear(now_s) + self.expires.clear() + self.table.clear()

    def swap(self, other: "Database") -> None:
        """Exchange the contents with `other`; the numbers and the WATCHing clients stay."""
        self._forget_recent()
        other._forget_recent()
        self.table, other.table = other.table, self.table
        self.expires, other.expires = other.expires, self.expires
        self.access, other.access = other.access, self.access
        self.expire_next, other.expire_next = other.expire_next, self.expire_next
        self.expire_cursor, other.expire_cursor = other.expire_cursor, self.expire_cursor
        self.hash_times, other.hash_times = other.hash_times, self.hash_times
        self.collections, other.collections = other.collections, self.collections

    def _forget_recent(self) -> None:
        self.recent = None
        self.recent_s = None
        self._recent_bucket = None

    def _without_due_fields(self, key: bytes, value: object, now: i64) -> object | None:
        """`value`, which is what `key` holds, with no field that has run out at `now`; None where nothing is left."""
        times = self.hash_times
        assert times is not None
        when = times.get(key)
        if when == NO_TIME or when >= now or self.loading:
            return value
        if not isinstance(value, Hash):
            # It has taken the place of a hash.
            times.drop(key)
            return value
        if self.keep_expired:
            seen = value.visible(now)
            return seen if len(seen) else None
        self.expire_fields(key, value, now)
        return value if len(value) else None


def _outlasts(when: object, now_s: object) -> bool:
    """Whether Unix ms `when` is not in the second `now_s`, which is the present one."""
    return isinstance(when, int) and isinstance(now_s, int) and when // 1000 > now_s
