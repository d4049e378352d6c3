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

INTEGERS = b"0 1 -1 2 7 100 -300 9223372036854775807 -9223372036854775808 4294967296".split()
NO_INTEGERS = b"x 1.0 +1 01 0x10 9223372036854775808 -9223372036854775809 \xff\xfe -0 1e2 nan".split()
NO_INTEGERS += [b"", b" 1", b"1 "]
FLOATS = b"0.5 1.25 0.1 -0.1 3.14159 1e3 -2.5e-3 1e17 123456789.123 5e-10 0x1p3 1.0 1e-20 1e300".split()
FLOATS += [b"100000000000000000000"]
NO_FLOATS = [*b"nan 1e400 x inf -inf +inf 1.5x \xff 0x 1e5000 . - 1.5e".split(), b"", b" 1.5", b"1.5 "]
TEXTS = [b"", b"\x00", b"hello world", b"7" * 44, b"y" * 45, b"z" * 70, b"a\r\nb"]
TEXTS += b"a abc \xff\xfe ohmytext mynewtext".split()
MEMBERS = [*b"a b c ab 7 -1 007 9999999999999999999 mmmmmmmmm \xff \x00 12 40000 3000000000".split(), b""]
GARBAGE = [*NO_INTEGERS, *NO_FLOATS, b"a" * 300, b"a\x00b", *b"-5 9223372036854775807 COUNT LIMIT MATCH s1 z1".split()]


def one_of(*words: bytes | Draw) -> Draw:
    """Draw one of the words, or what one of the functions draws."""

    def draw(random: Random) -> bytes:
        word = random.choice(words)
        return word if isinstance(word, bytes) else word(random)

    return draw


def words(text: str) -> Draw:
    """Draw one of the words of `text`."""
    return one_of(*text.encode("latin-1").split())


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


def coordinate(limit: float, rare: str) -> Draw:
    """Draw a longitude or latitude."""

    def anywhere(random: Random) -> bytes:
        return b"%.6f" % random.uniform(-limit, limit)

    return mostly(anywhere, one_of(between(-3, 3), words(rare)), 4)


integer = mostly(one_of(between(-5, 12), *INTEGERS), one_of(*NO_INTEGERS), 25)
small = mostly(between(-6, 9), one_of(*INTEGERS, *NO_INTEGERS), 25)
number = mostly(one_of(between(-9, 99), random_float, *FLOATS, b"-0"), one_of(*NO_FLOATS), 12)
# No -0: a small form makes 0 of it, and whether a form is small when it comes differs between 7.0 and 7.2.
score = mostly(one_of(between(-3, 9), between(-3, 9), random_float, *FLOATS, b"inf", b"-inf"), one_of(*NO_FLOATS), 30)
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
    "lexbound": mostly(words("- + [a (a [b (b [c [ ( [7 (mm [\xff"), one_of(b"x", b"", b"a"), 25),
    "member": mostly(one_of(*MEMBERS), one_of(between(-20, 90), blob), 4),
    "field": mostly(one_of(b"", words("f g h 7 \xff field-name")), one_of(between(0, 40), blob), 4),
    "element": one_of(*MEMBERS, value),
    "lifetime": mostly(words("1000000 5000000"), one_of(*NO_INTEGERS, *INTEGERS[6:]), 6),
    "moment": mostly(words("9999999999 99999999999999"), one_of(*NO_INTEGERS, *INTEGERS), 6),
    "db": mostly(between(0, 2), words("16 -1 x 9999999999 15"), 12),
    "pattern": one_of(b"", words("* ?1 [sh]* z1 *1 [^a]* \\* nokey")),
    "typename": words("string list hash set zset stream STRING x"),
    "offset": mostly(between(0, 200), one_of(b"", words("-1 4294967296 4294967295999 x 9223372036854775807")), 15),
    "bitoffset": mostly(
        one_of(between(0, 200), lambda random: b"#%d" % random.randint(0, 9)),
        words("-1 #-1 4294967296 #x x #9223372036854775807"),
        15,
    ),
    "bittype": mostly(words("u8 i8 u1 i64 u63 i5 u16"), one_of(b"", words("u64 i65 x8 u0 i u-1")), 15),
    "bit": mostly(between(0, 1), words("2 x -1"), 20),
    "longitude": coordinate(180, "181 x nan -180 180"),
    "latitude": coordinate(85, "86 x nan 85.05112878"),
    "radius": mostly(words("1 100 500 3000 20000 0.5"), words("0 -1 x nan inf 1e10"), 15),
    "unit": mostly(words("m km KM mi ft"), one_of(b"x", b""), 30),
    "id": mostly(stream_id, words("5 0 0-0 18446744073709551615-18446744073709551615 x - 1- 1-x -1-1"), 15),
    "newid": mostly(
        one_of(stream_id, lambda random: b"%d-*" % random.randint(3, 12)),
        words("0-0 x 5 1-*-1 18446744073709551615-*"),
        20,
    ),
    "idbound": mostly(
        one_of(words("- + 3 (2"), stream_id, lambda random: b"(" + stream_id(random)),
        words("(- (+ x (18446744073709551615-18446744073709551615 (0-0"),
        20,
    ),
    "group": mostly(words("g g h"), one_of(b"nogroup", b""), 15),
    "consumer": words("c d"),
    "badcursor": one_of(b"", words("x nan 18446744073709551616 1.5 \xff")),
    "badwait": one_of(b"", words("x -1 nan inf 1e400 9223372036854775807 \xff")),
    "junk": one_of(*GARBAGE),
}
