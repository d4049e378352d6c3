"""What a script returns, as a reply.

Theory of operation: a table is a reply of the first kind for which it has a field (`err`, `ok`, `double`, `map`,
`set`, `big_number`, `verbatim_string`), and an array up to its first nil otherwise. Lua tells which
(`Runtime.describe`), reading past metatables. Numbers lose their fraction. What Lua has and a reply has not is null.

Tables may hold each other: `_DEEPEST` bounds how far they are followed. Redis's bound is that of Lua's stack, near
8000; ours is one that Python can follow.
"""

from typing import Any, Final

from aikv.engine.stats import Stats
from aikv.resp.reply import Digits, ErrorReply, Pairs, SetOf, Status, Verbatim
from aikv.scripting.runtime import Runtime

_DEEPEST: Final = 200
TOO_DEEP: Final = b"ERR reached lua stack limit"
# Elements of an array that are fetched at a time, all of which must have room on Lua's stack.
_SLICE: Final = 1000

_I64_MIN: Final = -(1 << 63)
_I64_BEYOND: Final = 2.0**63


class ReplyMaker:
    """Makes one reply; `failed` tells afterwards whether there is an error in it.

    `resp3` is whether the script has chosen protocol 3, by which booleans stay what they are.
    """

    def __init__(self, runtime: Runtime, stats: Stats, resp3: bool) -> None:
        self._runtime: Final = runtime
        self._stats: Final = stats
        self._resp3: Final = resp3
        self.failed = False

    def reply(self, value: Any, depth: int = 0) -> object:
        """`value` as a handler returns it."""
        kind = type(value)
        if kind is bytes or value is None:
            return value
        if kind is bool:
            return value if self._resp3 else (1 if value else None)
        if kind is int or kind is float:
            return _truncated(value)
        if kind.__name__ != "_LuaTable":
            # A function, a coroutine or cjson.null.
            return None
        if depth == _DEEPEST:
            return self.error(TOO_DEEP, False)
        return self._table(value, depth + 1)

    def _table(self, table: Any, depth: int) -> object:
        what, *content = self._runtime.describe(table)
        if what == b"array":
            return self._array(table, content, depth)
        if what == b"err":
            return self.error(content[0], content[1])
        if what == b"ok":
            return Status(_one_line(content[0]))
        if what == b"double":
            return float(content[0])
        if what == b"big_number":
            return Digits(_one_line(content[0]))
        if what == b"verbatim_string":
            return Verbatim(content[1][:3].ljust(3), content[0])
        return self._collection(content[0], what == b"map", depth)

    def _array(self, table: Any, content: list[Any], depth: int) -> list[object]:
        count = content[0]
        items = content[1:]
        for first in range(len(items) + 1, count + 1, _SLICE):
            part = self._runtime.slice(table, first, min(count, first + _SLICE - 1))
            items += part if isinstance(part, tuple) else [part]
        return [item if type(item) is bytes else self.reply(item, depth) for item in items]

    def _collection(self, table: Any, is_map: bool, depth: int) -> object:
        items, count = self._runtime.items(table, is_map)
        made = [self.reply(items[index], depth) for index in range(1, count + 1)]
        return Pairs(made) if is_map else SetOf(made)

    def error(self, text: bytes, counted: bool) -> ErrorReply:
        """An error reply, which is counted unless it has been."""
        text = text.rstrip(b"\r\n")
        self.failed = True
        if not counted:
            self._stats.count_error(text)
        return ErrorReply(text)


def _truncated(number: float) -> int:
    """A number as C casts it to 64 bits: what does not fit is the least."""
    if not -_I64_BEYOND <= number < _I64_BEYOND:
        return _I64_MIN
    return int(number)


def _one_line(text: bytes) -> bytes:
    return text.replace(b"\r", b" ").replace(b"\n", b" ")
