"""How the values of directives with several arguments, or rules of their own, are checked and written.

Each class follows the directive of its name; reasons are redis-server's.
"""

import errno
import os
from typing import Final

from aikv.base.numbers import parse_double
from aikv.base.quote import repr_bytes
from aikv.engine.config.errors import InvalidValue
from aikv.engine.config.kinds import (
    INT_MAX,
    LONG_MAX,
    WRONG_NUMBER_OF_ARGUMENTS,
    Kind,
    PartialKind,
    loose_integer,
    memory_size,
    memory_text,
    one_of,
)

MAX_BIND_ADDRESSES: Final = 16

_CLIENT_CLASSES: Final = (b"normal", b"slave", b"pubsub")
_EVENT_CLASSES: Final = b"g$lshzxetdn"
_ALL_EVENT_CLASSES: Final = frozenset(b"g$lshzxetd")
_SHUTDOWN_WORDS: Final = [b"default", b"save", b"nosave", b"now", b"force"]


def _without_empty(args: list[bytes]) -> list[bytes]:
    """A single empty argument, as in ``save ""``, stands for no argument."""
    return [] if args == [b""] else args


class Save(PartialKind):
    """`save`: pairs of seconds and changes; lines add up while a configuration is loaded, an empty one clears."""

    def __init__(self) -> None:
        super().__init__(multi=True, accumulates=True)

    def onto(self, args: list[bytes], current: bytes) -> bytes:
        args = _without_empty(args)
        if not args:
            return b""
        if len(args) % 2:
            raise InvalidValue("Invalid save parameters")
        numbers: list[bytes] = [current] if current else []
        for position, text in enumerate(args):
            number = loose_integer(text)
            low, high = (0, INT_MAX) if position % 2 else (1, LONG_MAX)
            if number is None or not low <= number <= high:
                raise InvalidValue("Invalid save parameters")
            numbers.append(b"%d" % number)
        return b" ".join(numbers)

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        words = value.split()
        pairs = [b" ".join(words[i : i + 2]) for i in range(0, len(words), 2)]
        return [(pair, value != default) for pair in pairs or [b'""']]


class Bind(Kind):
    """`bind`: addresses, a leading `-` for those that may be missing on this machine."""

    def __init__(self) -> None:
        super().__init__(multi=True)

    def parse(self, args: list[bytes]) -> bytes:
        if len(args) > MAX_BIND_ADDRESSES:
            raise InvalidValue("Too many bind addresses specified.")
        return b" ".join(_without_empty(args))

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        return [(value or b'""', value != default)]


class OutputLimits(PartialKind):
    """`client-output-buffer-limit`: class, hard limit, soft limit, seconds; classes not named keep their limits."""

    def __init__(self) -> None:
        super().__init__(multi=True)

    def onto(self, args: list[bytes], current: bytes) -> bytes:
        if len(args) % 4:
            raise InvalidValue("Wrong number of arguments in buffer limit configuration.")
        limits = _grouped(current)
        for start in range(0, len(args), 4):
            name = args[start].lower()
            name = b"slave" if name == b"replica" else name
            if name not in _CLIENT_CLASSES:
                raise InvalidValue("Invalid client class specified in buffer limit configuration.")
            hard, soft = memory_size(args[start + 1]), memory_size(args[start + 2])
            seconds = loose_integer(args[start + 3])
            if hard is None or soft is None or seconds is None or not 0 <= seconds <= LONG_MAX:
                raise InvalidValue("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
            limits[_CLIENT_CLASSES.index(name)] = b"%s %d %d %d" % (name, hard, soft, seconds)
        return b" ".join(limits)

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        defaults = _grouped(default) if default else [b""] * len(_CLIENT_CLASSES)
        lines: list[tuple[bytes, bool]] = []
        for limit, usual in zip(_grouped(value), defaults, strict=True):
            name, hard, soft, seconds = limit.split()
            words = [b"replica" if name == b"slave" else name, memory_text(int(hard)), memory_text(int(soft)), seconds]
            lines.append((b" ".join(words), limit != usual))
        return lines


def _grouped(value: bytes) -> list[bytes]:
    words = value.split()
    return [b" ".join(words[i : i + 4]) for i in range(0, len(words), 4)]


class OomScores(Kind):
    """`oom-score-adj-values`: three numbers, for a primary, a replica and background children."""

    def __init__(self) -> None:
        super().__init__(multi=True)

    def parse(self, args: list[bytes]) -> bytes:
        if len(args) != 3:
            raise InvalidValue(WRONG_NUMBER_OF_ARGUMENTS)
        scores: list[bytes] = []
        for text in args:
            score = loose_integer(text)
            if score is None or not -2000 <= score <= 2000:
                raise InvalidValue("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
            scores.append(b"%d" % score)
        return b" ".join(scores)


class Percentiles(Kind):
    """`latency-tracking-info-percentiles`: numbers from 0 to 100."""

    def __init__(self) -> None:
        super().__init__(multi=True)

    def parse(self, args: list[bytes]) -> bytes:
        texts: list[bytes] = []
        for text in _without_empty(args):
            number = parse_double(text)
            if number is None:
                raise InvalidValue("Invalid latency-tracking-info-percentiles parameters")
            if not 0 <= number <= 100:
                raise InvalidValue("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
            texts.append(f"{number:.6f}".rstrip("0").rstrip(".").encode())
        return b" ".join(texts)

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        return [(value or b'""', value != default)]


class EventClasses(Kind):
    """`notify-keyspace-events`: one letter per class of events, written in redis-server's order."""

    def parse(self, args: list[bytes]) -> bytes:
        letters = set(args[0])
        if not letters <= set(b"AKEm" + _EVENT_CLASSES):
            raise InvalidValue("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        if letters >= _ALL_EVENT_CLASSES or ord("A") in letters:
            # Redis's own text leaves out an `n` beside `A`, though it announces the event; here the text is the value.
            classes = b"An" if ord("n") in letters else b"A"
        else:
            classes = bytes([letter for letter in _EVENT_CLASSES if letter in letters])
        return classes + bytes([letter for letter in b"KEm" if letter in letters])

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        return [(repr_bytes(value), value != default)]


class ShutdownOptions(Kind):
    """`shutdown-on-sigint` and its sister: words that are combined."""

    def __init__(self) -> None:
        super().__init__(multi=True)

    def parse(self, args: list[bytes]) -> bytes:
        words = [word.lower() for word in args]
        if not words or not set(words) <= set(_SHUTDOWN_WORDS):
            raise InvalidValue(one_of(_SHUTDOWN_WORDS))
        if b"save" in words and b"nosave" in words:
            raise InvalidValue("shutdown options SAVE and NOSAVE can't be used simultaneously")
        return b" ".join([word for word in _SHUTDOWN_WORDS[1:] if word in words]) or b"default"


class ReplicaOf(Kind):
    """`replicaof`: host and port of the primary, or `no one`."""

    def __init__(self) -> None:
        super().__init__(multi=True)

    def parse(self, args: list[bytes]) -> bytes:
        if len(args) != 2:
            raise InvalidValue(WRONG_NUMBER_OF_ARGUMENTS)
        if [word.lower() for word in args] == [b"no", b"one"]:
            return b""
        port = loose_integer(args[1])
        if port is None or not 0 <= port <= 65535:
            raise InvalidValue("Invalid master port")
        return b"%s %d" % (args[0], port)

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        return [(value, value != default)] if value else []


class Directory(PartialKind):
    """`dir`: a folder that exists, kept as an absolute path; a relative one starts at the folder set before."""

    def onto(self, args: list[bytes], current: bytes) -> bytes:
        if b"\0" in args[0] or not args[0]:
            raise InvalidValue(os.strerror(errno.ENOENT))
        path = os.path.realpath(os.path.join(current, args[0]))
        try:
            # A final slash makes the system say ENOTDIR itself; search permission is what chdir would need.
            os.stat(os.path.join(path, b"."))
        except OSError as error:
            raise InvalidValue(os.strerror(error.errno or errno.EIO)) from error
        if not os.access(path, os.X_OK):
            raise InvalidValue(os.strerror(errno.EACCES))
        return path

    def lines(self, value: bytes, default: bytes) -> list[tuple[bytes, bool]]:
        return [(repr_bytes(value), value != default)]
