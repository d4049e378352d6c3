"""The command `aikv`: read the configuration, be a daemon if asked, and serve."""

import os
import platform
import sys

import click

from aikv.app import FORM, Server
from aikv.base import log
from aikv.base.errors import AikvError, CorruptFile
from aikv.base.version import REDIS_VERSION, VERSION
from aikv.cli.daemon import DEFAULT_PIDFILE, PidFile, detach
from aikv.engine.config import Config, ConfigError, load


def _print_version(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        click.echo(
            f"aikv {VERSION} ({FORM} form, CPython {platform.python_version()}, behaves as Redis {REDIS_VERSION})"
        )
        raise click.exceptions.Exit


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="",
    add_help_option=True,
)
@click.option(
    "-v", "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show versions."
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[CONF] [--DIRECTIVE VALUE ...]")
def serve(arguments: tuple[str, ...]) -> None:
    """Run a Redis-compatible server.

    CONF is a file in the syntax of redis.conf, or - for standard input. Any directive can be given as an option
    instead, and wins over the file.

    \b
    Examples:
      aikv                                  port 6379, data in this folder
      aikv /etc/aikv.conf
      aikv /etc/aikv.conf --port 7000 --appendonly yes
      aikv --port 7000 --save 60 1000 --dir /var/lib/aikv
      echo "port 7000" | aikv -

    \b
    Tools:
      aikv backup --to DIR                  copy the data of a running server
      aikv verify DIR                       prove that a backup or data folder is complete and loads
      aikv restore --at MOMENT ...          bring back the dataset of a moment
      aikv rdb info|keys|export|diff|top    look into RDB files
      aikv aof cat|stats                    look into append-only logs
      aikv convert --rdb-version N IN OUT   write an RDB file for another version of Redis
      aikv check-rdb [--salvage OUT] FILE   examine an RDB file
      aikv check-aof [--fix] FILE           examine an append-only file or its manifest
    """
    words = list(arguments)
    try:
        config = load(words, sys.stdin.buffer.read() if "-" in words else None)
    except ConfigError as error:
        click.echo(error.report(VERSION), err=True)
        sys.exit(1)
    sys.exit(_serve(config))


def _serve(config: Config) -> int:
    daemonize = config.get_bool("daemonize")
    try:
        log.configure(
            config.get_str("loglevel"),
            config.path("logfile"),
            config.get_bool("syslog-enabled"),
            config.get_str("syslog-ident"),
            config.get_str("syslog-facility"),
        )
    except OSError as error:
        click.echo(f"Can't open the log file {config.path('logfile')}: {error.strerror}", err=True)
        return 1
    if daemonize:
        detach()
    pid_path = config.path("pidfile") or (DEFAULT_PIDFILE if daemonize else "")
    pid_file = PidFile(pid_path)
    try:
        server = Server(config)
        pid_file.write()
        return server.run()
    except ConfigError as error:
        click.echo(error.report(VERSION), err=True)
    except CorruptFile as error:
        log.warning("Fatal error loading the data: %s. The file has been left as it is. Exiting.", error)
    except AikvError as error:
        log.warning("%s", error)
    except MemoryError:
        log.warning("Out of memory while starting: the dataset does not fit. Exiting.")
    finally:
        pid_file.remove(os.getpid())
    return 1
