"""Sequences of commands on all types at once, as the patterns of this folder say."""

from pathlib import Path
from random import Random

from oracle.grammar import Draw, Pattern, read_patterns
from oracle.language import Step
from oracle.pair import Pair
from oracle.values import tree
from oracle.vocabulary import GARBAGE, LEX_KEY, VOCABULARY

FOLDER = Path(__file__).parent / "patterns"
LENGTH = 150
SPOILED = 25
# Never made wrong: they might then change something at random, or show a part of an unordered whole.
SOUND = {b"SPOP", b"SCAN", b"SSCAN", b"HSCAN", b"ZSCAN", b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER", b"CONFIG"}
# Redis 7.2 has an option here where 7.0 has none.
SOUND |= {b"ZRANK", b"ZREVRANK"}
THRESHOLDS = [(b"1", b"3", b"5", b"128"), (b"1", b"5", b"64")]


# One value of each form; DUMP of them is what RESTORE is given.
VALUES = """
SET k text
SET k 12345
SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
PFADD k a b c
RPUSH k a b 7 -300 70000
HSET k f 1 g text h 70000
SADD k 1 2 70000
SADD k a b 7
ZADD k 1 a 2.5 b inf c
XADD k 1-1 f v g w
XGROUP CREATE k g 0 MKSTREAM
GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
"""


def payloads(pair: Pair) -> list[bytes]:
    """Ask the oracle for payloads of values of all types."""
    found = []
    with pair.oracle.connect() as connection:
        for line in VALUES.split("\n"):
            if line:
                connection.command("DEL", "k")
                connection.command(*line.split())
                found.append(tree(connection.command("DUMP", "k"))[1])
        connection.command("DEL", "k")
    return found


def patterns(payloads: list[bytes]) -> list[Pattern]:
    """Read all patterns; `payloads` are what DUMP has answered, for RESTORE."""

    def payload(random: Random) -> bytes:
        chosen = random.choice(payloads)
        if random.randrange(5) == 0:
            at = random.randrange(len(chosen))
            chosen = chosen[:at] + random.randbytes(1) + chosen[at + 1 :]
        return chosen

    vocabulary: dict[str, Draw] = {**VOCABULARY, "payload": payload}
    return [pattern for path in sorted(FOLDER.glob("*.txt")) for pattern in read_patterns(path.read_text(), vocabulary)]


def sequence(random: Random, chosen: list[Pattern]) -> list[Step]:
    """Draw one sequence: some thresholds, and then commands, of which one in `SPOILED` is made wrong."""
    steps = thresholds(random)
    weights = [pattern.weight for pattern in chosen]
    # A theme for each sequence, or else keys would rarely see two commands of their type in a row.
    theme = [weight * random.choice([0, 1, 1, 4]) for weight in weights]
    for pattern in random.choices(chosen, theme, k=LENGTH):
        drawn = pattern.steps(random, random.randrange(12) == 0)
        steps += [spoiled(random, step) if random.randrange(SPOILED) == 0 else step for step in drawn]
    return steps


def thresholds(random: Random) -> list[Step]:
    """Draw how large small forms may be."""
    entries, lengths = THRESHOLDS
    values = {
        b"hash-max-listpack-entries": random.choice(entries),
        b"hash-max-listpack-value": random.choice(lengths),
        b"zset-max-listpack-entries": random.choice(entries),
        b"zset-max-listpack-value": random.choice(lengths),
        b"set-max-intset-entries": random.choice(entries),
        b"stream-node-max-entries": random.choice(entries),
        b"list-max-listpack-size": random.choice([b"-2", b"-1", b"1", b"3"]),
        b"hll-sparse-max-bytes": random.choice([b"3000", b"30"]),
    }
    return [Step((b"CONFIG", b"SET", name, value)) for name, value in values.items()]


def spoiled(random: Random, step: Step) -> Step:
    """Make a command wrong: a word is missing, too many, or garbage."""
    words = list(step.argv)
    if words[0] in SOUND or words[0][:2] in (b"BL", b"BR", b"BZ") or LEX_KEY in words or b"BLOCK" in words:
        return step
    at = random.randrange(1, len(words) + 1)
    how = random.randrange(3)
    if how == 0:
        words.insert(at, random.choice(GARBAGE))
    elif at == len(words):
        words.append(random.choice(GARBAGE))
    elif how == 1:
        del words[at]
    else:
        words[at] = random.choice(GARBAGE)
    return Step(tuple(words), step.comparison, step.other)
