"""The words of generated commands: few keys, so that commands and types meet, and values at the edges of everything.

Theory of operation: each type has two keys of its own, and one word in eight is any key, which is often of the
wrong type. `lexkey` alone is no other command's destination, so that all its scores stay equal: what a range of
members is in any other sorted set is not specified.
"""

from collections.abc import Sequence
from random import Random

from oracle.grammar import Draw, Vocabulary

OF_TYPE = {
    "string": (b"s1", b"s2", b"s3"),
    "bitmap": (b"b1", b"s1"),
    "hll": (b"p1", b"p2"),
    "list": (b"l1", b"l2"),
    "hash": (b"h1", b"h2"),
    "set": (b"t1", b"t2", b"t3"),
    "zset": (b"z1", b"z2", b"g1"),
    "geo": (b"g1", b"g2"),
    "stream": (b"x1", b"x2"),
}
KEYS = sorted({key for keys in OF_TYPE.values() for key in keys} | {b"", b"\xff\x00"})
LEX_KEY = b"lex"

INTEGERS = [b"0", b"1", b"-1", b"2", b"7", b"100", b"-300", b"9223372036854775807", b"-9223372036854775808", b"4294967296"]
NO_INTEGERS = [b"", b"x", b"1.0", b" 1", b"1 ", b"+1", b"01", b"0x10", b"9223372036854775808", b"-9223372036854775809", b"\xff\xfe", b"-0", b"1e2", b"nan"]
FLOATS = [b"0.5", b"1.25", b"0.1", b"-0.1", b"3.14159", b"1e3", b"-2.5e-3", b"1e17", b"123456789.123", b"5e-10", b"0x1p3", b"1.0", b"-0", b"1e-20", b"100000000000000000000", b"1e300"]
NO_FLOATS = [b"nan", b"1e400", b"", b"x", b"inf", b"-inf", b"+inf", b" 1.5", b"1.5 ", b"1.5x", b"\xff", b"0x", b"1e5000", b".", b"-", b"1.5e"]
TEXTS = [b"", b"a", b"abc", b"\xff\xfe", b"\x00", b"hello world", b"7" * 44, b"y" * 45, b"z" * 70, b"a\r\nb", b"ohmytext", b"mynewtext"]
MEMBERS = [b"a", b"b", b"c", b"ab", b"", b"7", b"-1", b"007", b"9" * 19, b"m" * 9, b"\xff", b"\0", b"12", b"40000", b"3000000000"]
GARBAGE = [*NO_INTEGERS, *NO_FLOATS, b"a" * 300, b"-5", b"9223372036854775807", b"COUNT", b"LIMIT", b"MATCH", b"s1", b"z1"]


def one_of(*words: bytes | Draw) -> Draw:
    """Draw one of the words, or what one of the functions draws."""

    def draw(random: Random) -> bytes:
        word = random.choice(words)
        return word if isinstance(word, bytes) else word(random)

    return draw


def mostly(usual: Draw, rare: Draw, times: int) -> Draw:
    """Draw the rare word once in `times`."""
    return lambda random: rare(random) if random.randrange(times) == 0 else usual(random)


def between(least: int, most: int) -> Draw:
    """Draw an integer."""
    return lambda random: b"%d" % random.randint(least, most)


def key_of(keys: Sequence[bytes]) -> Draw:
    """Draw a key, usually one of `keys`."""
    return mostly(one_of(*keys), one_of(*KEYS), 8)


def blob(random: Random) -> bytes:
    """Draw a few random bytes."""
    return random.randbytes(random.choice([1, 3, 8, 20, 90]))


def stream_id(random: Random) -> bytes:
    """Draw an id of an entry."""
    return b"%d-%d" % (random.randint(0, 9), random.randint(0, 3))


def score_bound(random: Random) -> bytes:
    """Draw an end of a range of scores."""
    return random.choice([b"", b"", b"("]) + score(random)


def random_float(random: Random) -> bytes:
    """Draw a number with many digits, or few."""
    return random.choice([b"%d", b"%.3f", b"%.17g"]) % random.uniform(-1000, 1000)


integer = mostly(one_of(between(-5, 12), *INTEGERS), one_of(*NO_INTEGERS), 25)
small = mostly(between(-6, 9), one_of(*INTEGERS, *NO_INTEGERS), 25)
number = mostly(one_of(between(-9, 99), random_float, *FLOATS), one_of(*NO_FLOATS), 12)
score = mostly(one_of(between(-3, 9), between(-3, 9), random_float, *FLOATS[:12], *FLOATS[13:], b"inf", b"-inf"), one_of(*NO_FLOATS), 30)
value = one_of(between(-100, 20000), blob, *INTEGERS, *FLOATS, *TEXTS)

VOCABULARY: Vocabulary = {
    **{name: key_of(keys) for name, keys in OF_TYPE.items()},
    "key": one_of(*KEYS),
    "lexkey": one_of(LEX_KEY),
    "value": value,
    "text": one_of(*TEXTS, blob),
    "integer": integer,
    "small": small,
    "count": mostly(between(0, 5), one_of(*INTEGERS, *NO_INTEGERS), 25),
    "number": number,
    "score": score,
    "bound": mostly(score_bound, one_of(*NO_FLOATS, b"("), 25),
    "lexbound": mostly(one_of(b"-", b"+", b"[a", b"(a", b"[b", b"(b", b"[c", b"[", b"(", b"[7", b"(mm", b"[\xff"), one_of(b"x", b"", b"a"), 25),
    "member": mostly(one_of(*MEMBERS), one_of(between(-20, 90), blob), 4),
    "field": mostly(one_of(b"f", b"g", b"h", b"", b"7", b"\xff", b"field-name"), one_of(between(0, 40), blob), 4),
    "element": one_of(*MEMBERS, value),
    "lifetime": mostly(one_of(b"1000000", b"5000000"), one_of(b"0", b"-1", b"9223372036854775807", b"9223372036854775", *NO_INTEGERS), 6),
    "moment": mostly(one_of(b"9999999999", b"99999999999999"), one_of(b"1", b"0", b"-1", b"9223372036854775807", *NO_INTEGERS), 6),
    "db": mostly(between(0, 2), one_of(b"16", b"-1", b"x", b"9999999999", b"15"), 12),
    "pattern": one_of(b"*", b"?1", b"[sh]*", b"z1", b"*1", b"[^a]*", b"\\*", b"", b"nokey"),
    "typename": one_of(b"string", b"list", b"hash", b"set", b"zset", b"stream", b"STRING", b"x"),
    "offset": mostly(between(0, 200), one_of(b"-1", b"4294967296", b"4294967295999", b"x", b"", b"9223372036854775807"), 15),
    "bitoffset": mostly(one_of(between(0, 200), lambda random: b"#%d" % random.randint(0, 9)), one_of(b"-1", b"#-1", b"4294967296", b"#x", b"x", b"#9223372036854775807"), 15),
    "bittype": mostly(one_of(b"u8", b"i8", b"u1", b"i64", b"u63", b"i5", b"u16"), one_of(b"u64", b"i65", b"x8", b"u0", b"i", b"", b"u-1"), 15),
    "bit": mostly(between(0, 1), one_of(b"2", b"x", b"-1"), 20),
    "longitude": mostly(lambda random: b"%.6f" % random.uniform(-180, 180), one_of(between(-3, 3), b"181", b"x", b"nan", b"-180", b"180"), 4),
    "latitude": mostly(lambda random: b"%.6f" % random.uniform(-85, 85), one_of(between(-3, 3), b"86", b"x", b"nan", b"85.05112878"), 4),
    "radius": mostly(one_of(b"1", b"100", b"500", b"3000", b"20000", b"0.5"), one_of(b"0", b"-1", b"x", b"nan", b"inf", b"1e10"), 15),
    "unit": mostly(one_of(b"m", b"km", b"KM", b"mi", b"ft"), one_of(b"x", b""), 30),
    "id": mostly(stream_id, one_of(b"5", b"0", b"0-0", b"18446744073709551615-18446744073709551615", b"x", b"-", b"1-", b"1-x", b"-1-1"), 15),
    "newid": mostly(one_of(stream_id, lambda random: b"%d-*" % random.randint(3, 12)), one_of(b"0-0", b"x", b"5", b"1-*-1", b"18446744073709551615-*"), 20),
    "idbound": mostly(one_of(b"-", b"+", stream_id, lambda random: b"(" + stream_id(random), b"3", b"(2"), one_of(b"(-", b"(+", b"x", b"(18446744073709551615-18446744073709551615", b"(0-0"), 20),
    "group": mostly(one_of(b"g", b"g", b"h"), one_of(b"nogroup", b""), 15),
    "consumer": one_of(b"c", b"d"),
    "badcursor": one_of(b"x", b"nan", b"", b"18446744073709551616", b"1.5", b"\xff"),
    "badwait": one_of(b"x", b"-1", b"nan", b"", b"inf", b"1e400", b"9223372036854775807", b"\xff"),
    "junk": one_of(*GARBAGE),
}  # fmt: skip
