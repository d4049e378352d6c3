"""Which of the programs behind `aikv` is meant.

Theory of operation: the server takes its arguments as redis-server does (`[conf] [--directive value ...]`), which no
option parser understands, so they are passed on whole. A first word that names a tool goes to that tool.
"""

import sys

import click

from aikv.cli.aof import aof
from aikv.cli.backup import backup
from aikv.cli.convert import convert
from aikv.cli.rdb import rdb
from aikv.cli.restore import restore
from aikv.cli.serve import serve
from aikv.cli.tools import check_aof, check_rdb
from aikv.cli.verify import verify

TOOLS: dict[str, click.Command] = {
    "check-rdb": check_rdb,
    "check-aof": check_aof,
    "rdb": rdb,
    "aof": aof,
    "convert": convert,
    "backup": backup,
    "restore": restore,
    "verify": verify,
}


def main() -> None:
    """Run the command that the program's arguments name; ends the process."""
    arguments = sys.argv[1:]
    tool = TOOLS.get(arguments[0]) if arguments else None
    command: click.Command = serve if tool is None else tool
    if tool is None:
        command.main(args=arguments, prog_name="aikv")
    else:
        command.main(args=arguments[1:], prog_name=f"aikv {arguments[0]}")
