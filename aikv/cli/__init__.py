"""The command line: `serve` (the server), `daemon` (background, pid file), and the tools, a module for each.

`tools` (check-rdb, check-aof; `salvage`), `restore`, `backup` and `verify` judge and copy data folders; `rdb` with
`rdb_export`, `rdb_diff` and `rdb_top`, `aof` and `convert` look into files key by key (`rdb_files`, `escape`). They
share `terminal` (errors, progress, moments), `offline` (an engine without a server) and `connection` (a client).

Never compiled: it runs once. `main` is the entry point of the command `aikv`.
"""

from aikv.cli.main import main

__all__ = ["main"]
