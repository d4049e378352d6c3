"""Wrong calls of one command, made from one right call: arguments missing, too many, of the wrong type, or garbage.

Theory of operation: a right call is a command and, by position, the keys in it. From it follow calls with arguments
left off or added, with each key exchanged for one of each other type, and with each argument exchanged for each word of
`GARBAGE`. `KEYS` has one key of every type, and `FIXTURE` makes them.
"""

from collections.abc import Iterator

Words = tuple[bytes, ...]

FIXTURE = [
    "SET string text",
    "SET number 7",
    "RPUSH list a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "HSET hash f 1 g text",
    "SADD set a b",
    "SADD intset 1 2",
    "ZADD zset 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h 9 i 10 j 11 k 12 l 13 m 14 n 15 o 16 p 17 q 18 r 19 s",
    "XADD stream 1-1 f v",
    "XGROUP CREATE stream g 0",
    "XGROUP CREATECONSUMER stream g c",
    "PFADD hll a b",
    "GEOADD geo 13.361389 38.115556 Palermo",
]
KEYS = b"string list hash set zset stream".split()

GARBAGE = [
    b"",
    b"\xff\xfe",
    b"nan",
    b"inf",
    b"1e400",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"9223372036854775807",
    b"-9223372036854775808",
    b" 1",
    b"1 ",
    b"+1",
    b"0x10",
    b"-1",
    b"1.5",
    b"a\x00b",
    b"x\r\ny",
    b"w" * 300,
]


def words_of(line: str) -> Words:
    """The words of a line that needs no quotes."""
    return tuple(line.encode().split())


def wrong_calls(words: Words, fixed: int = 1) -> Iterator[Words]:
    """Yield wrong calls of the right call `words`, of which the first `fixed` words are the command's name."""
    for length in range(fixed, len(words)):
        yield words[:length]
    for more in (b"x", b""):
        yield (*words, more)
        yield (*words, more, more)
    for place in range(fixed, len(words)):
        for word in (*GARBAGE, *KEYS):
            yield (*words[:place], word, *words[place + 1 :])
