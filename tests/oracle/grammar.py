"""Commands written at random from patterns: one line says what a command's arguments look like.

Theory of operation: a pattern is words, each one of

    GET          itself
    key          what the vocabulary's function of that name draws
    (A|b c|)     one of the alternatives, which are patterns themselves; an empty one is allowed
    word? word* word+   none or one, none to three, one to three of the word or group before the sign
    ;            ends a command: what follows is the next one, of the same draw

A line may begin with a number, its weight, and with a mark of comparison in square brackets (`oracle.language`),
which then holds for all commands of the line. The generator is `random.Random`, not Hypothesis: a hundred thousand
commands are wanted, and shrinking is done on the commands themselves (`oracle.deep`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from oracle.language import Step

Draw = Callable[[Random], bytes]
Vocabulary = Mapping[str, Draw]
# Draws words into a list.
Writer = Callable[[Random, list[bytes]], None]

TOKEN = re.compile(r"[()|]|[?*+](?=[\s()|]|$)|[^\s()|]+?(?=[?*+]?(?:[\s()|]|$))")
LINE = re.compile(r"(?:(\d+)\s+)?(?:\[([^\]]+)\]\s+)?(.*)")
TIMES = {"?": (0, 1), "*": (0, 3), "+": (1, 3)}
END = b";"


@dataclass(frozen=True)
class Pattern:
    """One line: how often it is chosen, how its replies are compared, and what writes its words."""

    weight: int
    comparison: str
    write: Writer

    def steps(self, random: Random, other: bool) -> list[Step]:
        """Draw the commands of this line."""
        words: list[bytes] = []
        self.write(random, words)
        commands: list[list[bytes]] = [[]]
        for word in words:
            if word is END:
                commands.append([])
            else:
                commands[-1].append(word)
        return [Step(tuple(command), self.comparison, other) for command in commands]


def read_patterns(text: str, vocabulary: Vocabulary) -> list[Pattern]:
    """Read one pattern from each line of `text` that is neither empty nor begins with `#`."""
    patterns = []
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            found = LINE.fullmatch(line.strip())
            assert found is not None
            tokens = TOKEN.findall(found[3])
            write = _alternatives(tokens, vocabulary)
            if tokens:
                raise ValueError(f"not understood: {tokens} in {line!r}")
            patterns.append(Pattern(int(found[1] or 1), found[2] or "exact", write))
    return patterns


def _alternatives(tokens: list[str], vocabulary: Vocabulary) -> Writer:
    """Take sequences separated by bars off `tokens`, up to the end or a closing bracket."""
    choices = [_sequence(tokens, vocabulary)]
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        choices.append(_sequence(tokens, vocabulary))
    if len(choices) == 1:
        return choices[0]

    def write(random: Random, words: list[bytes]) -> None:
        random.choice(choices)(random, words)

    return write


def _sequence(tokens: list[str], vocabulary: Vocabulary) -> Writer:
    parts: list[tuple[Writer, int, int]] = []
    while tokens and tokens[0] not in ("|", ")"):
        token = tokens.pop(0)
        if token == "(":
            part = _alternatives(tokens, vocabulary)
            tokens.pop(0)
        else:
            part = _word(token, vocabulary)
        least, most = TIMES[tokens.pop(0)] if tokens and tokens[0] in TIMES else (1, 1)
        parts.append((part, least, most))

    def write(random: Random, words: list[bytes]) -> None:
        for part, least, most in parts:
            for _ in range(least if least == most else random.randint(least, most)):
                part(random, words)

    return write


def _word(token: str, vocabulary: Vocabulary) -> Writer:
    literal = END if token == ";" else token.encode()
    draw = vocabulary.get(token)
    if draw is None and len(token) > 1 and token.isalpha() and token.islower():
        raise ValueError(f"no such word: {token}")

    def write(random: Random, words: list[bytes]) -> None:
        words.append(literal if draw is None else draw(random))

    return write
