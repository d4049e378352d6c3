"""The commented configuration file, made from the table of directives.

Theory of operation: ``conf/aikv.conf`` is never edited by hand. It is `conf_file()`, written by

    python -m aikv.engine.config > conf/aikv.conf

and a test holds the two together. Every directive is shown with its summary and its default, commented out; the few
that a first start on a desk needs otherwise are set.
"""

import textwrap
from typing import Final

from aikv.engine.config.directive import HIDDEN, STORED, Directive
from aikv.engine.config.directives import SECTIONS

WIDTH: Final = 100

_ACTIVE: Final[dict[str, list[bytes]]] = {
    "bind": [b"127.0.0.1 -::1"],
    "port": [b"6379"],
    "save": [b"3600 1", b"300 100", b"60 10000"],
    "dir": [b"./data"],
}

# How a default that no argument can stand for is written.
_NOTHING: Final[dict[str, bytes]] = {"replicaof": b"no one"}

_INTRODUCTION: Final = """\
# Configuration of aikv, in the syntax of redis.conf.
#
#     aikv conf/aikv.conf [--directive value ...]
#
# One directive per line: its name, then its arguments. Names are not case sensitive. An argument with blanks in it
# stands in quotes, "..." with escapes such as \\n and \\x41 or '...' without. Lines that start with # are comments.
# Sizes take a unit: 1k is 1000 bytes, 1kb is 1024 bytes, and so with m, mb, g and gb.
# A line that stands further down wins, and the command line wins over the file.
#
# include /path/to/other.conf    reads another file here; * ? [ match any number of files, relative to dir.
# rename-command NAME NEW        gives a command another name; "" takes it away.
# user NAME RULE ...             makes a user, by the rules of ACL SETUSER; goes not together with aclfile.
#
# A line with a # and no blank after it is a default that is not set. This file is generated:
#     python -m aikv.engine.config > conf/aikv.conf
"""


def conf_file() -> bytes:
    """The content of ``conf/aikv.conf``."""
    parts = [_INTRODUCTION.encode()]
    for section in SECTIONS:
        rule = "#" * WIDTH
        parts.append(f"\n{rule}\n# {section.title}\n{rule}\n".encode())
        parts.extend(_entry(directive) for directive in section.directives if not directive.flags & HIDDEN)
    return b"".join(parts)


def _entry(directive: Directive) -> bytes:
    comment = textwrap.wrap(description(directive), WIDTH - 2, break_on_hyphens=False)
    lines = [f"# {line}".encode() for line in comment]
    active = _ACTIVE.get(directive.name)
    if active is not None:
        lines += [directive.name.encode() + b" " + value for value in active]
    else:
        shown = [value for value, _ in directive.kind.lines(directive.default, b"")] or [
            _NOTHING.get(directive.name, b'""')
        ]
        lines += [b"#" + directive.name.encode() + b" " + value for value in shown]
    return b"\n" + b"\n".join(lines) + b"\n"


def description(directive: Directive) -> str:
    """The summary, and what a user of aikv must know beside it."""
    sentences = [directive.summary]
    if directive.alias:
        sentences.append(f"Also called {directive.alias}.")
    if directive.needs:
        others = " or ".join(repr(value.decode()) for value in directive.accepts if value != directive.default)
        sentences.append(f"aikv does not support {directive.needs} yet and takes only the default{_or(others)}.")
    elif directive.flags & STORED:
        sentences.append("Accepted for compatibility; without effect in aikv.")
    return " ".join(sentences)


def _or(others: str) -> str:
    return f" or {others}" if others else ""
