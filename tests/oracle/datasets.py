"""Whole datasets of two servers compared: keys, types, encodings, times to live, digests, and payloads across.

Theory of operation: the digest covers names, types and values, so where it is the same only what it leaves out is
asked key by key: encodings, times, the groups of streams. The payloads of DUMP are not compared as bytes, because
forms differ between Redis 7.0 and 7.2; both servers restore the payloads of both, to the same value.
"""

from oracle.pair import Difference
from oracle.values import alike, tree
from oracle.wire import RawConnection

DATABASES = range(3)
COPY = b"(copy)"


def compare_datasets(oracle: RawConnection, aikv: RawConnection) -> None:
    """Raise `Difference` where two servers do not hold the same; both connections are in RESP2."""
    for database in DATABASES:
        select = (b"SELECT", b"%d" % database)
        oracle.command(*select), aikv.command(*select)
        keys = [name for _, name in tree(oracle.command("KEYS", "*"))[1]]
        _same(oracle, aikv, "unordered", b"KEYS", b"*")
        for key in keys:
            _compare_key(oracle, aikv, key)
    for connection in (oracle, aikv):
        connection.command("SELECT", "0")
    _same(oracle, aikv, "exact", b"DEBUG", b"DIGEST")


def _compare_key(oracle: RawConnection, aikv: RawConnection, key: bytes) -> None:
    kind = _same(oracle, aikv, "exact", b"TYPE", key)
    _same(oracle, aikv, "encoding", b"OBJECT", b"ENCODING", key)
    _same(oracle, aikv, "near", b"PTTL", key)
    digest = _same(oracle, aikv, "exact", b"DEBUG", b"DIGEST-VALUE", key)
    if kind == b"+stream\r\n":
        _compare_groups(oracle, aikv, key)
    for source in (oracle, aikv):
        payload = tree(source.command("DUMP", key))[1]
        _same(oracle, aikv, "exact", b"RESTORE", COPY, b"0", payload, b"REPLACE")
        copied = _same(oracle, aikv, "exact", b"DEBUG", b"DIGEST-VALUE", COPY)
        _same(oracle, aikv, "encoding", b"OBJECT", b"ENCODING", COPY)
        _same(oracle, aikv, "exact", b"DEL", COPY)
        # A time to live is a part of the digest, and no part of the payload. A score of -0 becomes 0 in a small form.
        if copied != digest and kind != b"+zset\r\n" and source.command("PTTL", key) == b":-1\r\n":
            raise Difference(f"{key!r}, dumped as {payload!r} and restored, is another value")


def _compare_groups(oracle: RawConnection, aikv: RawConnection, key: bytes) -> None:
    _same(oracle, aikv, "exact", b"XINFO", b"STREAM", key)
    reply = _same(oracle, aikv, "groups", b"XINFO", b"GROUPS", key)
    for _, fields in tree(reply)[1]:
        _same(oracle, aikv, "near", b"XPENDING", key, fields[1][1], b"-", b"+", b"100")


def _same(oracle: RawConnection, aikv: RawConnection, comparison: str, *argv: bytes) -> bytes:
    theirs, ours = oracle.command(*argv), aikv.command(*argv)
    if not alike(comparison, theirs, ours):
        raise Difference(f"at the end: {b' '.join(argv)!r} ({comparison})\nredis: {theirs!r}\naikv:  {ours!r}")
    return theirs
