"""Compiled scripts whose last call leaves the script on the stack.

Theory of operation: `return f(x)` is a tail call: Lua forgets the caller before `f` runs. A C function's errors name
the caller's line all the same, because a call to C leaves it on the stack; in Redis all libraries are C. Some of ours
are written in Lua, so in the main part of a script, which runs once and cannot recurse, tail calls are made ordinary
ones. The functions in a script keep theirs, which may be what bounds their recursion.

Both instructions have the same operands, and what follows a tail call returns all results of a call in any case.
Source of the format: https://www.lua.org/source/5.1/lundump.c.html and lopcodes.h; 64 bits, little-endian.
"""

from struct import Struct
from typing import Final

# What string.dump begins with on the machines that this understands: version 5.1, official format, little-endian,
# sizes of int, size_t, an instruction and a number, and that numbers are no integers.
_HEADER: Final = b"\x1bLua\x51\x00\x01\x04\x08\x04\x08\x00"
_SIZE: Final = Struct("<Q")
_INT: Final = Struct("<i")
# The lines of the definition (two ints), then numbers of upvalues and parameters, varargs, size of the stack.
_BEFORE_CODE: Final = 2 * 4 + 4

_OPCODE: Final = 0x3F
_CALL: Final = 28
_TAIL_CALL: Final = 29
_SET_LIST: Final = 34
_C_OPERAND: Final = 0x1FF << 14


def without_tail_calls(code: bytes) -> bytes | None:
    """`code`, a dumped main function, with its tail calls made calls; None where it has none or is not understood."""
    if not code.startswith(_HEADER):
        return None
    at = len(_HEADER)
    (name_size,) = _SIZE.unpack_from(code, at)
    at += _SIZE.size + name_size + _BEFORE_CODE
    (count,) = _INT.unpack_from(code, at)
    at += _INT.size
    instructions = list(Struct(f"<{count}I").unpack_from(code, at))
    changed = False
    index = 0
    while index < count:
        instruction = instructions[index]
        opcode = instruction & _OPCODE
        if opcode == _TAIL_CALL:
            instructions[index] = instruction & ~_OPCODE | _CALL
            changed = True
        elif opcode == _SET_LIST and not instruction & _C_OPERAND:
            # The next word is a number, not an instruction.
            index += 1
        index += 1
    if not changed:
        return None
    body = Struct(f"<{count}I").pack(*instructions)
    return code[:at] + body + code[at + len(body) :]
