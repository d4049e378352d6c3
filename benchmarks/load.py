"""One run of redis-benchmark against one server: what it is told, what it needs to find, what it costs.

Theory of operation: throughput is what redis-benchmark reports; on few cores the client shares the CPU with the
server, which bounds it. Server CPU per command is user and system time of the server's process (all its threads)
divided by the commands that it counted itself, and is not bounded by the client: that is the one to trust. Tests
that read or pop find as much as in redis-benchmark's own list, where the tests before them leave it; it is made anew
before each run and not measured.
"""

import csv
import shlex
import subprocess
from dataclasses import dataclass

from datasets import Commands, fill
from sides import cpu_seconds, served_so_far

from oracle.process import ServerProcess

# redis-benchmark's own default list.
ALL_TESTS = [
    *("ping_inline", "ping_mbulk", "set", "get", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset"),
    *("spop", "zadd", "zpopmin", "lrange_100", "lrange_300", "lrange_500", "lrange_600", "mset"),
]
# Of these what an append-only file grows by; SPOP and ZPOPMIN find nothing after the first.
WRITING_TESTS = ["set", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset", "zadd", "mset"]
# Elements in one push while a list is prepared.
CHUNK = 1000


class BenchmarkFailed(Exception):
    """redis-benchmark could not finish a test."""


@dataclass
class Run:
    """One run of redis-benchmark: commands a second, and the server's CPU microseconds per command."""

    throughput: float
    cpu_us: float


@dataclass
class Load:
    """What redis-benchmark is told, the test and the pipeline apart."""

    requests: int
    clients: int
    size: int
    keyspace: int


def same_strings(keys: int, size: int) -> Commands:
    """The keys that redis-benchmark asks for with -r, each a string of `size` bytes."""
    return ([b"SET", b"key:%012d" % number, b"x" * size] for number in range(keys))


def prepare(server: ServerProcess, test: str, commands: int, load: Load) -> None:
    """Make what `commands` commands of `test` will want to find."""
    element = "x" * load.size
    with server.connect(timeout=60) as connection:
        if test == "get":
            if not load.keyspace:
                connection.command("SET", "key:__rand_int__", element)
            elif connection.command("DBSIZE") != b":%d\r\n" % load.keyspace:
                fill(server, same_strings(load.keyspace, load.size))
        elif test in ("lpop", "rpop"):
            connection.command("DEL", "mylist")
            push = [b"RPUSH", b"mylist", *[element.encode()] * CHUNK]
            fill(server, (push for _ in range(-(-commands // CHUNK))), batch=10)
        elif test.startswith("lrange_"):
            # Its own test pushes as many elements as it reads ranges, and the CPU of both would be counted together.
            connection.command("DEL", "mylist")
            connection.command("RPUSH", "mylist", *[element] * 1000)


def measure(server: ServerProcess, test: str, pipeline: int, load: Load) -> Run:
    """Run redis-benchmark once; raises `BenchmarkFailed` with its words if it fails."""
    requests = load.requests * pipeline
    command = ["redis-benchmark", "-p", str(server.port), "-P", str(pipeline), "--csv"]
    command += ["-n", str(requests), "-c", str(load.clients), "-d", str(load.size)]
    if load.keyspace:
        command += ["-r", str(load.keyspace)]
    if test.startswith("lrange_"):
        command += ["LRANGE", "mylist", "0", str(int(test.removeprefix("lrange_")) - 1)]
    else:
        command += ["-t", test]
    prepare(server, test, requests, load)
    commands, cpu = served_so_far(server), cpu_seconds(server.pid)
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode != 0 or "error" in run.stderr.lower():
        words = run.stderr.strip() or run.stdout.strip()
        raise BenchmarkFailed(f"{shlex.join(server.program)}: {shlex.join(command)}: {words}")
    cpu = cpu_seconds(server.pid) - cpu
    commands = served_so_far(server) - commands
    (row,) = csv.DictReader(run.stdout.splitlines())
    return Run(float(row["rps"]), cpu * 1e6 / commands)
