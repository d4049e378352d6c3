"""The command line: `serve` (the server), `tools` (check-rdb, check-aof), `daemon` (background, pid file).

Never compiled: it runs once. `main` is the entry point of the command `aikv`.
"""

from aikv.cli.main import main

__all__ = ["main"]
