"""DEBUG PROTOCOL: one reply of every type, by which a client library can test what it reads."""

from typing import Final

from aikv.base.errors import CommandError
from aikv.resp.reply import Attributed, BigNumber, Pairs, Push, SetOf, Verbatim

_NO_SUCH_TYPE: Final = (
    b"ERR Wrong protocol type name. Please use one of the following: "
    b"string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
)
_SAMPLES: Final[dict[bytes, object]] = {
    b"string": b"Hello World",
    b"integer": 12345,
    b"double": 3.141,
    b"bignum": BigNumber(1234567999999999999999999999999999999),
    b"null": None,
    b"array": [0, 1, 2],
    b"set": SetOf([0, 1, 2]),
    b"map": Pairs([0, False, 1, True, 2, False]),
    b"attrib": Attributed([b"key-popularity", [b"key:123", 90]], b"Some real reply following the attribute"),
    b"push": Push([b"server-cpu-usage", 42]),
    b"verbatim": Verbatim(b"txt", b"This is a verbatim\nstring"),
    b"true": True,
    b"false": False,
}


def sample_reply(name: bytes, resp3: bool) -> object:
    """The sample of the type called `name`; raises CommandError for an unknown one, and for a push in RESP2."""
    if name not in _SAMPLES:
        raise CommandError(_NO_SUCH_TYPE)
    if name == b"push" and not resp3:
        raise CommandError(b"ERR RESP2 is not supported by this command")
    return _SAMPLES[name]
