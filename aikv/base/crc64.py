"""CRC-64 as Redis uses it: Jones polynomial, reflected, no initial or final inversion.

It guards RDB files, DUMP payloads and AOF bases. The table-driven work is done by the C library anycrc; the
model is looked up once, at import.
"""

from typing import Final

import anycrc  # type: ignore[import-untyped]

_MODEL: Final = anycrc.Model("CRC64-REDIS")


def crc64(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """The checksum of `data`, continued from `crc` (the checksum of what precedes it; 0 at the start).

    The checksum of b"123456789" is 0xe9c6d914c4b8d9ca.
    """
    checksum: int = _MODEL.calc(data, crc)
    return checksum
