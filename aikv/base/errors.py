"""Error values and the texts that clients see.

Theory of operation: a command that cannot be carried out raises `CommandError`; the engine catches it in one
place, counts it and sends its text. A text is kept as the bytes that follow the `-` on the wire, so the first word
is the error code (`ERR`, `WRONGTYPE`, ...) that client libraries dispatch on. Texts that more than one command
uses stand here as constants; a text that only one command uses stands beside that command.

Errors that stop the program or a file operation (a bad configuration, a damaged file) derive from `AikvError`, are
worded for the operator, and never reach a client as they are.
"""

from typing import Final


class CommandError(Exception):
    """A command refused: the reply is an error.

    `text` is what follows `-` on the wire without CR LF, for example ``b"ERR syntax error"``.
    """

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text: Final = text


class ProtocolError(Exception):
    """A request that is no RESP: the error is sent and the connection closed. `text` is as in `CommandError`."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text: Final = text


class AikvError(Exception):
    """Base of the errors that an operator or an embedding program sees."""


class CorruptFile(AikvError):
    """A persistence file that cannot be trusted.

    `path` names the file, `offset` is the byte at which reading failed, `reason` says what is wrong there.
    """

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(f"{path}: at offset {offset}: {reason}")
        self.path: Final = path
        self.offset: Final = offset
        self.reason: Final = reason


SYNTAX: Final = b"ERR syntax error"
WRONGTYPE: Final = b"WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_AN_INTEGER: Final = b"ERR value is not an integer or out of range"
NOT_A_FLOAT: Final = b"ERR value is not a valid float"
OUT_OF_RANGE: Final = b"ERR value is out of range"
NO_SUCH_KEY: Final = b"ERR no such key"
SAME_OBJECT: Final = b"ERR source and destination objects are the same"
INDEX_OUT_OF_RANGE: Final = b"ERR index out of range"
DB_OUT_OF_RANGE: Final = b"ERR DB index is out of range"
BUSYKEY: Final = b"BUSYKEY Target key name already exists."
INVALID_CURSOR: Final = b"ERR invalid cursor"
NOAUTH: Final = b"NOAUTH Authentication required."
OOM: Final = b"OOM command not allowed when used memory > 'maxmemory'."
STRING_TOO_LONG: Final = b"ERR string exceeds maximum allowed size (proto-max-bulk-len)"


def quoted(word: bytes) -> bytes:
    """What Redis shows of a client's word in an error: C takes no byte from the first NUL on."""
    return word.partition(b"\0")[0]
