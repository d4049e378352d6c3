"""Listpacks: every operation against a plain list, blobs from outside, and the bytes that redis-server makes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aikv.datatypes import listpack, listpack_check
from conftest import StartServer
from oracle.process import REDIS

EDGES = [
    *(b"%d" % (sign * (1 << bits) + off) for bits in (7, 12, 15, 23, 31, 63) for sign in (1, -1) for off in (-1, 0, 1)),
    b"", b"-", b"0", b"-0", b"00", b"01", b"+1", b" 1", b"1 ", b"9" * 19, b"9" * 20, b"-" + b"9" * 19, b"1.5",
    *(b"x" * size for size in (20, 21, 62, 63, 64, 65, 124, 125, 126, 127, 4095, 4096, 4097)),
    *(b"y" * (16383 - 5 + off) for off in (-2, -1, 0, 1)),
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(EDGES),
    st.binary(max_size=70),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number),
    st.integers(-200, 200).map(lambda number: b"%d" % number),
)
lists = st.lists(texts, max_size=12)


def check(pack: bytes, model: list[bytes]) -> None:
    """All ways of reading give `model`, and the blob is one that would be taken as it is."""
    assert listpack_check.validated(pack) is pack
    assert listpack.entries(pack) == model
    assert listpack.length(pack) == len(model)
    forward = []
    offset: int = listpack.FIRST
    while offset < listpack.end_offset(pack):
        forward.append(offset)
        assert listpack.is_integer(pack, offset) == (listpack.entry_at(pack, offset) == integer_text(pack, offset))
        offset += listpack.entry_size(pack, offset)
    assert [listpack.entry_at(pack, offset) for offset in forward] == model
    backward = []
    offset = listpack.last_offset(pack)
    while offset != -1:
        backward.append(offset)
        offset = listpack.previous_offset(pack, offset)
    assert backward[::-1] == forward
    for index, offset in enumerate(forward):
        assert listpack.offset_of(pack, index) == offset
        assert listpack.offset_of(pack, index - len(model)) == offset
    assert listpack.offset_of(pack, len(model)) == listpack.offset_of(pack, -len(model) - 1) == -1


def integer_text(pack: bytes, offset: int) -> bytes:
    """The text of the number at `offset`; of a string entry, what no entry holds."""
    return b"%d" % listpack.integer_at(pack, offset) if listpack.is_integer(pack, offset) else b"no integer"


@given(lists)
@example([])
@example(EDGES)
def test_every_text_comes_back_in_both_directions(model: list[bytes]) -> None:
    check(listpack.from_texts(model), model)


@given(lists, texts, st.data())
def test_changes_equal_those_of_a_list(model: list[bytes], text: bytes, data: st.DataObject) -> None:
    pack = listpack.from_texts(model)
    check(listpack.append(pack, text), [*model, text])
    check(listpack.prepend(pack, text), [text, *model])
    index = data.draw(st.integers(0, len(model)))
    offset = listpack.offset_of(pack, index) if index < len(model) else listpack.end_offset(pack)
    check(listpack.insert(pack, offset, text), [*model[:index], text, *model[index:]])
    count = data.draw(st.integers(0, 5))
    check(listpack.delete(pack, offset, count), model[:index] + model[index + count :])
    assert listpack.entries_from(pack, offset, count) == model[index : index + count]
    if index < len(model):
        check(listpack.replace(pack, offset, text), [*model[:index], text, *model[index + 1 :]])


@given(lists, texts, st.integers(0, 3), st.data())
def test_find_gives_the_first_that_is_not_passed_over(
    model: list[bytes], text: bytes, skip: int, data: st.DataObject
) -> None:
    pack = listpack.from_texts(model)
    start = data.draw(st.integers(0, max(len(model) - 1, 0)))
    wanted = data.draw(st.sampled_from([*model, text]))
    places = [index for index in range(start, len(model), skip + 1) if model[index] == wanted]
    begin = listpack.offset_of(pack, start) if model else listpack.FIRST
    assert listpack.find(pack, wanted, begin, skip) == (listpack.offset_of(pack, places[0]) if places else -1)


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65])
def test_texts_that_differ_in_one_byte_are_told_apart(size: int) -> None:
    text = bytes(range(65, 65 + size))
    others = [text[:place] + b"-" + text[place + 1 :] for place in range(size)]
    pack = listpack.from_texts([*others, text])
    assert listpack.find(pack, text) == listpack.offset_of(pack, size)
    for index, other in enumerate(others):
        assert listpack.find(pack, other) == listpack.offset_of(pack, index)
        assert not listpack.holds(pack, listpack.offset_of(pack, index), text)
    assert listpack.holds(pack, listpack.offset_of(pack, size), text)
    assert listpack.replace(pack, listpack.offset_of(pack, size), text) is pack


@given(texts, texts)
def test_an_entry_holds_its_text_and_no_other(text: bytes, other: bytes) -> None:
    pack = listpack.from_texts([text, b"behind"])
    assert listpack.holds(pack, listpack.FIRST, text)
    assert listpack.holds(pack, listpack.FIRST, other) == (text == other)


def test_find_is_not_misled_by_an_entry_within_a_text() -> None:
    entry = listpack.encode_entry(b"field")
    pack = listpack.from_texts([b"a" + entry + b"b", entry, b"field", b"field"])
    assert listpack.find(pack, b"field") == listpack.offset_of(pack, 2)
    assert listpack.find(pack, b"field", skip=1) == listpack.offset_of(pack, 2)
    assert listpack.find(pack, b"field", listpack.offset_of(pack, 1), skip=1) == listpack.offset_of(pack, 3)


def test_more_elements_than_the_header_counts() -> None:
    pack = listpack.from_texts([b"1"] * 65534)
    assert listpack.length(pack) == 65534
    pack = listpack.append(pack, b"2")
    assert pack[4:6] == b"\xff\xff"
    assert listpack.length(pack) == 65535
    pack = listpack.append(pack, b"3")
    assert listpack_check.validated(pack) is pack
    assert listpack.entry_at(pack, listpack.offset_of(pack, -1)) == b"3"
    fewer = listpack.delete(pack, listpack.FIRST, 65530)
    assert listpack.entries(fewer) == [b"1"] * 4 + [b"2", b"3"]
    assert listpack.entries(listpack_check.validated(fewer)) == listpack.entries(fewer)
    assert listpack.length(listpack_check.validated(fewer)) == 6


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (b"\x811\x02", b"1"),
        (b"\xe0\x05hello\x07", b"hello"),
        (b"\xf0\x05\0\0\0hello\x0a", b"hello"),
        (b"\xc0\x05\x02", b"5"),
        (b"\xf1\xff\xff\x03", b"-1"),
        (b"\xf4" + (77).to_bytes(8, "little") + b"\x09", b"77"),
    ],
)
def test_an_entry_that_could_be_shorter_is_made_so(entry: bytes, text: bytes) -> None:
    data = (7 + len(entry)).to_bytes(4, "little") + b"\x01\0" + entry + b"\xff"
    assert listpack_check.validated(data) == listpack.from_texts([text])


NUMBERS = [sign * (1 << bits) + off for bits in (0, 7, 12, 15, 23, 31, 62) for sign in (1, -1) for off in (-1, 0, 1)]
FORMS = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}


@pytest.mark.parametrize("first", FORMS)
@pytest.mark.parametrize("number", NUMBERS)
def test_an_integer_is_taken_in_its_shortest_form_only(first: int, number: int) -> None:
    size = FORMS[first]
    if not -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1:
        return
    entry = bytes((first,)) + number.to_bytes(size, "little", signed=True) + bytes((size + 1,))
    data = (7 + len(entry)).to_bytes(4, "little") + b"\x01\0" + entry + b"\xff"
    assert listpack.integer_at(data, listpack.FIRST) == number
    kept = listpack_check.validated(data)
    assert kept == listpack.from_texts([b"%d" % number])
    assert (kept is data) == (listpack.encode_integer(number) == entry)


@given(lists, st.data())
def test_a_damaged_blob_is_refused_or_read_without_leaving_it(model: list[bytes], data: st.DataObject) -> None:
    pack = bytearray(listpack.from_texts(model))
    for _ in range(data.draw(st.integers(1, 3))):
        pack[data.draw(st.integers(0, len(pack) - 1))] = data.draw(st.integers(0, 255))
    try_blob(bytes(pack))


@given(st.binary(max_size=60), st.integers(0, 20))
def test_any_bytes_are_refused_or_read_without_leaving_them(body: bytes, count: int) -> None:
    try_blob(body)
    try_blob((7 + len(body)).to_bytes(4, "little") + count.to_bytes(2, "little") + body + b"\xff")


def try_blob(data: bytes) -> None:
    """Either `data` is refused, or what is made of it can be read in every way."""
    complaint = "listpack"
    pack = listpack.EMPTY
    try:
        pack = listpack_check.validated(data)
    except ValueError as error:
        complaint = str(error)
    assert "listpack" in complaint
    check(pack, listpack.entries(pack))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"\x07\0\0\0\0\0", b"\x07\0\0\0\0\0\0", b"\x08\0\0\0\0\0\xff", b"\x07\0\0\0\x01\0\xff",
        b"\x08\0\0\0\x01\0\x01\xff", b"\x09\0\0\0\x01\0\x01\x02\xff", b"\x09\0\0\0\x01\0\x82a\xff",
        b"\x0c\0\0\0\x01\0\xf0\xff\xff\xff\xff\xff", b"\x09\0\0\0\x01\0\xf5\x01\xff", b"\x09\0\0\0\x01\0\xff\x01\xff",
        b"\x09\0\0\0\x02\0\x01\x01\xff", b"\x08\0\0\0\x01\0\xe1\xff",
    ],
)  # fmt: skip
def test_a_blob_that_is_no_listpack_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="listpack"):
        listpack_check.validated(data)


def test_the_bytes_are_those_of_redis(start_server: StartServer) -> None:
    server = start_server(REDIS, "--save", "", "--list-max-listpack-size", "-5", "--rdbcompression", "no")
    with server.connect() as redis:
        for model in (EDGES[:40], EDGES[40:-4], *([text] for text in EDGES[-4:]), [b"17", b"b" * 5000]):
            redis.command("DEL", "l")
            redis.command("RPUSH", "l", *model)
            assert listpack.from_texts(model) in redis.command("DUMP", "l")
