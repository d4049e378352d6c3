"""What every benchmark does around its measurements: the servers side by side, what they are, where results go.

Theory of operation: a side is a program, named `aikv`, `redis` or `valkey` in all results. Each runs in a folder of its
own with the same arguments. A result is a JSON document with every single run, what was measured (`machine`, `aikv`,
`redis`) and the command that measures it again, beside a markdown table of the same name. Needs Linux.
"""

import json
import os
import platform
import re
import resource
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

import aikv
from oracle.process import AIKV, REDIS, ServerProcess

VALKEY = "valkey-server"
TITLES = {"aikv": "aikv", "redis": "redis-server", "valkey": VALKEY}
# How long a command may take that loads or saves everything.
WAIT_S = 600.0

Sides = dict[str, ServerProcess]


def program_option(function: Callable[..., None]) -> Callable[..., None]:
    """The option --aikv."""
    return click.option("--aikv", "program", default=shlex.join(AIKV), help="The program to measure.")(function)


def output_option(function: Callable[..., None]) -> Callable[..., None]:
    """The option --output."""
    return click.option(
        "--output", type=click.Path(path_type=Path), default=Path("build/bench"), help="Folder of results."
    )(function)


def programs(program: str, valkey: bool = False) -> dict[str, list[str]]:
    """The command lines of the sides; of valkey-server only if it is wanted and installed."""
    found = {"aikv": shlex.split(program), "redis": list(REDIS)}
    if valkey and shutil.which(VALKEY):
        found["valkey"] = [VALKEY]
    return found


def about(started: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The machine, and what each of the programs says about its version."""
    said = {"machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"}
    environment = {**os.environ, "PYTHONPATH": str(Path(str(aikv.__file__)).parents[1])}
    for name, program in started.items():
        asked = subprocess.run([*program, "--version"], check=True, capture_output=True, text=True, env=environment)
        # redis-server goes on with hashes of its build, which tell a reader nothing.
        version = re.sub(r"^\w+ server v=(\S+) .*$", rf"{TITLES[name]} \1", asked.stdout.strip())
        said[name] = version
    return said


@contextmanager
def running(started: Mapping[str, Sequence[str]], home: Path, arguments: Sequence[str]) -> Iterator[Sides]:
    """All sides at once, each with a folder below `home`; killed at the end."""
    sides: Sides = {}
    try:
        for name, program in started.items():
            folder = home / name
            folder.mkdir(parents=True, exist_ok=True)
            sides[name] = ServerProcess(program, folder, arguments)
            sides[name].start()
        yield sides
    finally:
        for server in sides.values():
            server.kill()


def answered(server: ServerProcess, *command: str) -> bytes:
    """The reply to `command`, however long it takes; an error ends the benchmark."""
    with server.connect(timeout=WAIT_S) as connection:
        reply = connection.command(*command)
    if reply.startswith(b"-"):
        raise click.ClickException(f"{' '.join(command)}: {reply!r}")
    return reply


def empty(server: ServerProcess) -> None:
    """FLUSHALL, and wait until everything is freed: what is freed later would be charged to what is measured next."""
    answered(server, "FLUSHALL")
    while info(server, "memory", "lazyfree_pending_objects"):
        time.sleep(0.05)


def info(server: ServerProcess, section: str, name: str) -> int:
    """A number in INFO."""
    return int(answered(server, "INFO", section).decode().partition(f"\n{name}:")[2].split()[0])


def served_so_far(server: ServerProcess) -> int:
    """How many commands the server has processed."""
    return info(server, "stats", "total_commands_processed")


def wait_for(server: ServerProcess, name: str, command: str) -> None:
    """Send `command` and wait until the field `name` of INFO says that its work is done."""
    answered(server, command)
    while info(server, "persistence", name):
        time.sleep(0.01)


def cpu_seconds(pid: int) -> float:
    """User and system time that the process and its threads, ended ones too, have used."""
    # Linux's clock id of another process's CPU time (MAKE_PROCESS_CPUCLOCK in posix-timers.h). /proc/PID/stat says the
    # same in hundredths of a second, which is as long as all of a short run.
    return time.clock_gettime((~pid << 3) | 2)


def open_files(wanted: int) -> int:
    """Let this process and those it starts open `wanted` files or as many as the system allows; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def command_line() -> str:
    """The command that measures the same again, wherever results go; BENCH_FORM is what `scripts/bench` was told."""
    form = ["--pure"] if os.environ.get("BENCH_FORM") == "pure" else []
    words = sys.argv[1:]
    if "--output" in words:
        at = words.index("--output")
        del words[at : at + 2]
    return shlex.join(["scripts/bench", *form, Path(sys.argv[0]).stem, *words])


def save(output: Path, name: str, document: Mapping[str, Any], text: str) -> None:
    """Write NAME.json and NAME.md into the folder `output`, and the text to the standard output."""
    output.mkdir(parents=True, exist_ok=True)
    (output / f"{name}.json").write_text(json.dumps({"command": command_line(), **document}, indent=1) + "\n")
    (output / f"{name}.md").write_text(text)
    click.echo(text, nl=False)
