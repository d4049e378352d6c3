"""RDB files with changed bytes: the place of the damage is named, or whole values are loaded; nothing else happens.

`--mutations N` says how many are tried for each form of a value, `--seed` which ones.
"""

from random import Random

import pytest

from aikv.base.crc64 import crc64
from aikv.base.errors import AikvError, CorruptFile
from aikv.engine.dataset import DatasetReceiver
from aikv.engine.digest import dataset_digest
from aikv.persistence.rdb_read import read_rdb
from aikv.persistence.source import Source
from persistence.mutations import BODIES, Judge, mutated, text
from served import Served

FUTURE = (9_000_000_000_000).to_bytes(8, "little")
BEGINNING = b"\xfa" + text(b"redis-ver") + text(b"7.2.4") + b"\xfe\x00\xfb\x03\x01"


def file_with(form: str) -> bytes:
    """A file without its checksum: values of one form, with times, in two databases."""
    records = [BEGINNING]
    for number, body in enumerate(BODIES[form]):
        records.append(body[:1] + text(b"k%d" % number) + body[1:])
    first = BODIES[form][0]
    records.append(b"\xfc" + FUTURE + b"\xf8\x05" + first[:1] + text(b"with-time") + first[1:])
    records.append(b"\xfe\x01" + first[:1] + text(b"elsewhere") + first[1:])
    return b"REDIS0012" + b"".join(records) + b"\xff"


def loaded(data: bytes) -> Served:
    """Load a file into an engine; raises `AikvError` where it is refused."""
    served = Served()
    receiver = DatasetReceiver(served.engine, False, False, len(data))
    for database in served.engine.databases:
        database.loading = True
    read_rdb(Source(data, "file"), receiver)
    for database in served.engine.databases:
        database.loading = False
    return served


def with_checksum(content: bytes) -> bytes:
    """A whole file."""
    return content + crc64(content).to_bytes(8, "little")


@pytest.mark.parametrize("form", BODIES)
def test_a_changed_file_is_refused_or_its_values_are_whole(form: str, request: pytest.FixtureRequest) -> None:
    random = Random(form + request.config.getoption("--seed"))
    content = file_with(form)
    assert len(loaded(with_checksum(content)).engine.databases[0]) == len(BODIES[form]) + 1
    for _ in range(request.config.getoption("--mutations")):
        data = with_checksum(mutated(random, content))
        try:
            with Judge(len(data)):
                served = loaded(data)
        except AikvError:
            continue
        try:
            use(served)
        except Exception as error:
            raise AssertionError(f"accepted {data!r}") from error


def use(served: Served) -> None:
    """Read all that was accepted."""
    for database in served.engine.databases:
        for bucket in database.buckets():
            for value in bucket.values():
                if hasattr(value, "_check"):
                    value._check()
    dataset_digest(served.engine)
    for number in ("0", "1"):
        served.run("SELECT", number)
        for key in ("k0", "k1", "with-time", "elsewhere"):
            served.run("COPY", key, "copy", "REPLACE")
            for command in ("DUMP", "TYPE", "PTTL"):
                assert not served.run(command, key).startswith(b"-")


@pytest.mark.parametrize("form", BODIES)
def test_a_file_whose_checksum_does_not_fit_is_refused(form: str) -> None:
    random = Random(form)
    data = with_checksum(file_with(form))
    for _ in range(25):
        changed = mutated(random, data)
        # A checksum of zeros says that the writer kept none.
        if changed != data and changed[-8:] != bytes(8):
            with pytest.raises(AikvError):
                loaded(changed)


@pytest.mark.parametrize("form", BODIES)
def test_cut_anywhere_a_file_is_refused_with_the_place(form: str) -> None:
    data = with_checksum(file_with(form))
    for size in range(0, len(data), max(1, len(data) // 100)):
        with pytest.raises(CorruptFile) as caught:
            loaded(data[:size])
        assert 0 <= caught.value.offset <= size
