"""RESTORE of payloads with changed bytes: an error or a whole value, never a fault, and never for long.

`--mutations N` says how many of each form are tried, `--seed` which ones.
"""

from random import Random

import pytest

from aikv.engine.digest import key_digest
from oracle.language import parse_steps
from persistence.mutations import BODIES, READS, Judge, mutated, signed
from served import Served

ACCEPTED, REFUSED = b"+OK\r\n", b"-ERR Bad data format\r\n"
BAD_FOOTER = b"-ERR DUMP payload version or checksum are wrong\r\n"


@pytest.mark.parametrize("form", BODIES)
def test_a_changed_value_is_refused_or_whole(form: str, request: pytest.FixtureRequest) -> None:
    random = Random(form + request.config.getoption("--seed"))
    served = Served()
    for number in range(request.config.getoption("--mutations")):
        body = mutated(random, BODIES[form][number % len(BODIES[form])])
        payload = signed(body)
        with Judge(len(body)):
            reply = served.run("RESTORE", "k", "0", payload, "REPLACE")
        assert reply in (ACCEPTED, REFUSED), (reply, payload)
        if reply == ACCEPTED:
            try:
                use(served)
            except Exception as error:
                raise AssertionError(f"accepted {payload!r}") from error


def use(served: Served) -> None:
    """Read and change a value that was accepted."""
    value = served.engine.databases[0].table.get(b"k")
    if value is not None and hasattr(value, "_check"):
        value._check()
    key_digest(served.engine.databases[0], b"k", value)
    kind = served.run("TYPE k")[1:-2]
    for line in ("OBJECT ENCODING k", "COPY k copy REPLACE", "DUMP k", *READS.get(kind, ())):
        may_fail = line.startswith("[error]")
        (step,) = parse_steps(line.removeprefix("[error]"))
        reply = served.run(*step.argv)
        if reply.startswith(b"-"):
            assert may_fail or served.run("EXISTS k") == b":0\r\n", (line, reply)
            assert b"internal error" not in reply, (line, reply)
    value = served.engine.databases[0].table.get(b"k")
    if value is not None and hasattr(value, "_check"):
        value._check()


@pytest.mark.parametrize("form", BODIES)
def test_a_payload_with_a_wrong_checksum_is_refused(form: str) -> None:
    random = Random(form)
    served = Served()
    payload = signed(BODIES[form][0])
    for _ in range(50):
        changed = mutated(random, payload)
        if changed != payload:
            assert served.run("RESTORE", "k", "0", changed) == BAD_FOOTER
