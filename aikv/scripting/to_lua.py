"""Replies of commands as values of Lua.

Theory of operation: a command that a script calls is encoded like any other, in the protocol that the script has
chosen by `redis.setresp`; what is encoded is read back here. So what a command says in each protocol is told in one
place. Plain strings and numbers, and arrays of strings, have short ways.
Source of the conversions: https://redis.io/docs/latest/develop/interact/programmability/lua-api/ (data type conversion)
"""

from typing import Any, Final

import hiredis

from aikv.scripting.runtime import Runtime

_STATUS: Final = 0x2B
_ERROR: Final = 0x2D
_INTEGER: Final = 0x3A
_BULK: Final = 0x24
_ARRAY: Final = 0x2A
_NULL: Final = 0x5F
_DOUBLE: Final = 0x2C
_BOOLEAN: Final = 0x23
_BIG_NUMBER: Final = 0x28
_VERBATIM: Final = 0x3D
_MAP: Final = 0x25
_SET: Final = 0x7E
_ATTRIBUTE: Final = 0x7C
_MINUS: Final = 0x2D


class LuaReader:
    """Reads encoded replies; `runtime` is where the values are made."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime: Final = runtime
        self._fast: Final = hiredis.Reader()
        self._wire = b""
        self._at = 0

    def read(self, wire: bytes) -> Any:
        """The reply `wire`, which is no error, as lupa is to give it to Lua."""
        kind = wire[0]
        if kind == _BULK:
            if wire[1] == _MINUS:
                return False
            return wire[wire.index(b"\n") + 1 : -2]
        if kind == _INTEGER:
            return int(wire[1:-2])
        if kind == _STATUS:
            return self._runtime.ok(wire[1:-2])
        if kind == _ARRAY and b"\n+" not in wire and b"\n-" not in wire and wire[1] != _MINUS:
            # Neither nulls of RESP3 nor its types begin so; in an array they are told by what they become.
            items = self._plain_array(wire)
            if items is not None:
                return self._runtime.table_from(items)
        self._wire = wire
        self._at = 0
        value = self._value()
        self._wire = b""
        return value

    def _plain_array(self, wire: bytes) -> list[Any] | None:
        """The elements of an array of bulk strings, integers and nulls; None for another."""
        reader = self._fast
        reader.feed(wire)
        items: list[Any] = reader.gets()
        for item in items:
            kind = type(item)
            if kind is not bytes and kind is not int:
                return None
        return items

    def _line(self) -> bytes:
        end = self._wire.index(b"\r\n", self._at)
        line = self._wire[self._at : end]
        self._at = end + 2
        return line

    def _bulk(self, size: int) -> bytes:
        start = self._at
        self._at += size + 2
        return self._wire[start : start + size]

    def _value(self) -> Any:
        line = self._line()
        kind = line[0]
        rest = line[1:]
        runtime = self._runtime
        if kind == _BULK:
            return self._bulk(int(rest)) if rest[0] != _MINUS else False
        if kind == _INTEGER:
            return int(rest)
        if kind == _STATUS:
            return runtime.ok(rest)
        if kind == _ERROR:
            return runtime.err(rest, True)
        if kind == _ARRAY:
            return self._table(int(rest)) if rest[0] != _MINUS else False
        if kind == _NULL:
            return None
        if kind == _BOOLEAN:
            return rest == b"t"
        if kind == _DOUBLE:
            return runtime.typed(b"double", float(rest))
        if kind == _BIG_NUMBER:
            return runtime.typed(b"big_number", rest)
        if kind == _VERBATIM:
            text = self._bulk(int(rest))
            return runtime.typed(b"verbatim_string", text[4:], text[:3])
        if kind == _MAP:
            return self._map(int(rest))
        if kind == _SET:
            members = runtime.lua.table()
            for _ in range(int(rest)):
                members[self._value()] = True
            return runtime.typed(b"set", members)
        if kind == _ATTRIBUTE:
            for _ in range(2 * int(rest)):
                self._value()
            return self._value()
        raise ValueError(f"no reply of a command: {line!r}")

    def _table(self, count: int) -> Any:
        return self._runtime.table_from([self._value() for _ in range(count)])

    def _map(self, count: int) -> Any:
        pairs = self._runtime.lua.table()
        for _ in range(count):
            key = self._value()
            pairs[key] = self._value()
        return self._runtime.typed(b"map", pairs)
