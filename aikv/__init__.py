"""aikv: a Redis-compatible server in typed, compiled Python.

The map of the house. A room imports itself and lower floors only; `tests/test_house.py` sees to it.

| floor | room | what it is |
|---|---|---|
| 0 | `base` | error texts, numbers, glob, quoting, clock, randomness, LZF, CRC64, log |
| 1 | `resp` | the wire: requests in, replies out; knows no socket |
| 1 | `datatypes` | the scannable hash table, and what values are made of |
| 2 | `keyspace` | databases, expiry, access times |
| 3 | `persistence` | RDB and AOF files, behind one injectable file layer |
| 4 | `engine` | the command table, dispatch, journal, configuration; the only caller of handlers |
| 5 | `commands` | one decorated function per command |
| 6 | `scripting` | scripts in Lua |
| 8 | `server` | sockets, the event loop's turn, cron |
| 9 | `app` | the composition root |
| 10 | `cli` | the command line; never compiled |

One request, in reading order: `server.connection`, `resp.parser`, `engine.engine`, a handler in `commands`,
`engine.context`, `engine.journal`, `resp.encoder`, `server.tick`.

The rooms up to `commands`, and `server`, are compiled by mypyc where a C compiler is at hand; the same files run
interpreted. `COMPILED` says which form this is.
"""

from aikv.base.errors import AikvError
from aikv.base.form import COMPILED
from aikv.base.version import VERSION

__version__ = VERSION

__all__ = ["COMPILED", "AikvError", "__version__"]
