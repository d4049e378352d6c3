"""The table of directives: the only source of names, defaults and limits.

Everything else is derived from it: parsing, CONFIG GET, SET and REWRITE, the commented ``conf/aikv.conf`` and the
documentation. The rows stand in the `table_*` modules by subject; here they are put together, in the order of the
configuration file.
"""

from typing import Final

from aikv.engine.config.directive import Directive, Section
from aikv.engine.config.table_clients import CLIENTS
from aikv.engine.config.table_encoding import ENCODING
from aikv.engine.config.table_network import NETWORK
from aikv.engine.config.table_persistence import PERSISTENCE
from aikv.engine.config.table_replication import REPLICATION
from aikv.engine.config.table_system import SYSTEM

# Lines that are no values: they do something while a file is read.
LINE_DIRECTIVES: Final = frozenset({"include", "rename-command", "user", "loadmodule", "sentinel"})

# Names of directives that redis-server once had, still accepted with one argument and without effect.
IGNORED: Final = frozenset({"list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"})

SECTIONS: Final[list[Section]] = [*NETWORK, *PERSISTENCE, *CLIENTS, *REPLICATION, *ENCODING, *SYSTEM]
DIRECTIVES: Final[list[Directive]] = [directive for section in SECTIONS for directive in section.directives]


def _by_name() -> dict[str, Directive]:
    found: dict[str, Directive] = {}
    for directive in DIRECTIVES:
        for name in (directive.name, directive.alias):
            if name:
                found[name] = directive
    return found


# Primary names and aliases, in lower case.
BY_NAME: Final[dict[str, Directive]] = _by_name()
