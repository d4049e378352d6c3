"""Where aikv answers as Redis 7.2 does and the oracle, which is 7.0, does not; the reasons in one place.

What is no matter of a single reply stands elsewhere: other encodings, texts of scores and numbers of consumers in
`oracle.values`, words that are never generated in `oracle.generated`.
"""

import re

# Command, the oracle's reply, aikv's reply.
REPLIES = [
    # 7.2 has WITHSCORE here.
    (b"ZRANK", rb"-ERR wrong number of arguments.*", rb"-ERR syntax error\r\n"),
    (b"ZREVRANK", rb"-ERR wrong number of arguments.*", rb"-ERR syntax error\r\n"),
    # 7.2 refuses the one rank whose opposite is no 64-bit integer.
    (b"LPOS", rb".*", rb"-ERR value is out of range, value must between -9223372036854775807 and .*"),
]


def is_known(name: bytes, theirs: bytes, ours: bytes) -> bool:
    """Whether the replies to the command `name`, in upper case, differ as they should."""
    return any(
        name == command and re.fullmatch(their, theirs, re.S) and re.fullmatch(our, ours, re.S)
        for command, their, our in REPLIES
    )
