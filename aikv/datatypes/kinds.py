"""The types of values: what TYPE, OBJECT ENCODING and COPY must know of any value.

Theory of operation: `KINDS` maps the Python class of a value to its `Kind`. A data type derives from `Kind` and adds
an entry for each of its classes, so the commands on keys never ask what a value is.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from aikv.datatypes.memory import allocated
from aikv.datatypes.strings import FloatText, string_encoding


@mypyc_attr(allow_interpreted_subclasses=True)
class Kind:
    """What one type of value answers to. `name` is TYPE's word for it."""

    def __init__(self, name: bytes) -> None:
        self.name: Final = name

    def encoding(self, value: object) -> bytes:
        """OBJECT ENCODING's word for how Redis would hold `value`."""
        raise NotImplementedError

    def copy(self, value: object) -> object:
        """A value that is equal to `value` and shares nothing with it that can change."""
        raise NotImplementedError

    def memory(self, value: object, samples: int) -> int:
        """Bytes that `value` takes; of many elements only `samples` are looked at, all where that is 0."""
        raise NotImplementedError


class StringKind(Kind):
    """`bytes`, `int` and `bytearray`."""

    def __init__(self) -> None:
        super().__init__(b"string")

    def encoding(self, value: object) -> bytes:
        return string_encoding(value)

    def copy(self, value: object) -> object:
        return bytearray(value) if isinstance(value, bytearray) else value

    def memory(self, value: object, samples: int) -> int:  # noqa: ARG002
        return allocated(value)


STRING: Final[Kind] = StringKind()
KINDS: Final[dict[type, Kind]] = {bytes: STRING, int: STRING, bytearray: STRING, FloatText: STRING}


def kind_of(value: object) -> Kind:
    """The kind of a value of the keyspace. Raises KeyError for a class that no data type has declared."""
    return KINDS[type(value)]


def type_name(value: object) -> bytes:
    """TYPE's word for `value`."""
    return KINDS[type(value)].name
