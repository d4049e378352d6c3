"""The zipmap: how Redis held small hashes before version 2.6; read, never written.

Theory of operation: one byte with the number of fields (254 and above: too many for it), then for each field its length
and text, the length of its value, a byte that says how many unused bytes follow the value, the value, and these; at
the end 0xFF. A length is one byte below 254, or 0xFE and a u32, little endian. Source: zipmap.c of Redis 2.4.
"""

from typing import Final

from mypy_extensions import i64

_END: Final = 0xFF
_LONG: Final = 0xFE


def zipmap_entries(data: bytes) -> list[bytes]:
    """Each field of the zipmap `data`, which is not trusted, and after it its value.

    Raises ValueError, with what is wrong, unless `data` is one whole zipmap.
    """
    size: i64 = len(data)
    if size < 2 or data[size - 1] != _END:
        raise ValueError("a zipmap without an end")
    end: i64 = size - 1
    offset: i64 = 1
    texts: list[bytes] = []
    while offset < end:
        for unused_follow in (0, 1):
            length: i64 = data[offset]
            offset += 1
            if length == _LONG and offset + 4 <= end:
                length = int.from_bytes(data[offset : offset + 4], "little")
                offset += 4
            elif length >= _LONG:
                raise ValueError("a zipmap entry without its length")
            free: i64 = 0
            if unused_follow:
                free = data[offset]
                offset += 1
            stop: i64 = offset + length
            # After a field its value's length must follow, so that what is read next is within the bytes.
            if stop + free + 1 - unused_follow > end:
                raise ValueError("a zipmap entry beyond the end")
            texts.append(data[offset:stop])
            offset = stop + free
    if data[0] < _LONG and data[0] * 2 != len(texts):
        raise ValueError(f"a zipmap of {len(texts) // 2} fields that says {data[0]}")
    return texts
