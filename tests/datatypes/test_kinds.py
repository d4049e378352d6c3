"""Every class of value says what it is, how Redis would hold it, and how it is copied."""

import pytest

from aikv.datatypes.kinds import KINDS, Kind, kind_of, type_name


@pytest.mark.parametrize(
    ("value", "encoding"),
    [(b"a", b"embstr"), (b"1", b"int"), (1, b"int"), (bytearray(b"1"), b"raw"), (b"a" * 45, b"raw")],
)
def test_strings(value: object, encoding: bytes) -> None:
    assert type_name(value) == b"string"
    assert kind_of(value).encoding(value) == encoding
    assert kind_of(value).copy(value) == value


def test_a_copy_of_what_can_change_is_another_object() -> None:
    value = bytearray(b"a")
    assert kind_of(value).copy(value) is not value


def test_a_type_that_nobody_declared_is_a_fault() -> None:
    with pytest.raises(KeyError):
        type_name(object())


def test_a_kind_must_say_everything() -> None:
    kind = Kind(b"nothing")
    for question in (kind.encoding, kind.copy):
        with pytest.raises(NotImplementedError):
            question(b"a")


def test_every_kind_has_a_name() -> None:
    assert all(kind.name for kind in KINDS.values())
