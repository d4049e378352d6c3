"""What the parts of the server cost, in nanoseconds, in process and without sockets.

Theory of operation: each case is a function that does a piece of work some number of times; it is run in many short
repeats, and the fastest repeat is quoted, because whatever disturbs a run only makes it slower. Requests go the way
that they go in a server, from `data_received` to the transport, sixteen to a pipeline. Run it in both forms: the
difference is what mypyc is worth.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from sides import about, output_option, save

from aikv import COMPILED, __version__
from aikv.base.random import Random
from aikv.datatypes.hashes import Hash
from aikv.datatypes.limits import Limits
from aikv.datatypes.lists import List
from aikv.datatypes.sets import Set
from aikv.datatypes.table import Table
from aikv.datatypes.zsets import SortedSet
from aikv.resp.encoder import encode
from aikv.resp.output import Output
from aikv.resp.parser import RequestParser
from wired import Wired, request

PIPELINE = 16
Work = Callable[[int], None]

# The commands of redis-benchmark's default list, as it sends them.
KEY = "key:__rand_int__"
ELEMENT = "element:__rand_int__"
REQUESTS = {
    "ping_inline": b"PING\r\n",
    "ping_mbulk": request("PING"),
    "set": request("SET", KEY, "xxx"),
    "get": request("GET", KEY),
    "incr": request("INCR", "counter:__rand_int__"),
    "lpush": request("LPUSH", "mylist", "xxx"),
    "rpush": request("RPUSH", "mylist", "xxx"),
    "lpop": request("LPOP", "mylist"),
    "rpop": request("RPOP", "mylist"),
    "sadd": request("SADD", "myset", ELEMENT),
    "hset": request("HSET", "myhash", ELEMENT, "xxx"),
    "spop": request("SPOP", "myset"),
    "zadd": request("ZADD", "myzset", "0", ELEMENT),
    "zpopmin": request("ZPOPMIN", "myzset"),
    "lrange_100": request("LRANGE", "range", "0", "99"),
    "lrange_300": request("LRANGE", "range", "0", "299"),
    "lrange_500": request("LRANGE", "range", "0", "449"),
    "lrange_600": request("LRANGE", "range", "0", "599"),
    "mset": request("MSET", *[KEY, "xxx"] * 10),
}


def fastest(work: Work, count: int, repeats: int) -> float:
    """Return the nanoseconds of processor time that one of `count` pieces of work takes, in the fastest repeat."""
    work(min(count, 100))
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time_ns()
        work(count)
        best = min(best, (time.process_time_ns() - began) / count)
    return best


def requests() -> dict[str, tuple[Work, int]]:
    """Whole commands, from the socket's bytes to the transport's."""
    wired = Wired()
    wired.feed(request("SET", KEY, "xxx") + request("RPUSH", "range", *["xxx"] * 1000))

    def of(data: bytes) -> Work:
        pipeline = data * PIPELINE

        def work(count: int) -> None:
            for _ in range(count // PIPELINE):
                wired.feed(pipeline)

        return work

    return {
        f"request: {name}": (of(data), 160 if name.startswith("lrange") else 3200) for name, data in REQUESTS.items()
    }


def parsing() -> dict[str, tuple[Work, int]]:
    """The parser and the encoder alone."""
    parser = RequestParser()
    pipeline = REQUESTS["set"] * PIPELINE
    out = Output()

    def parse(count: int) -> None:
        for _ in range(count // PIPELINE):
            parser.feed(pipeline)

    def encoding(value: object, resp3: bool) -> Work:
        def work(count: int) -> None:
            for _ in range(count):
                encode(out, value, resp3)
            out.clear()

        return work

    return {
        "parser: SET of 3 bytes": (parse, 8000),
        "encoder: bulk of 3 bytes": (encoding(b"xxx", False), 8000),
        "encoder: integer of 6 digits": (encoding(123456, False), 8000),
        "encoder: array of 100 bulks": (encoding([b"xxx"] * 100, False), 200),
        "encoder: double, RESP3": (encoding(3.14159, True), 4000),
    }


def datatypes() -> dict[str, tuple[Work, int]]:
    """Operations of the data types, small and large forms."""
    limits = Limits()
    keys = [b"key:%012d" % number for number in range(20_000)]
    few = keys[:64]
    random = Random(1)
    cases: dict[str, tuple[Work, int]] = {}

    def over(step: Callable[[bytes], object], names: list[bytes]) -> Work:
        def work(count: int) -> None:
            for number in range(count):
                step(names[number % len(names)])

        return work

    def setting(held: Hash) -> Callable[[bytes], object]:
        return lambda key: held.set(key, b"other", limits)

    def scoring(held: SortedSet) -> Callable[[bytes], object]:
        return lambda key: held.add(key, random.below(1000) / 7, 0, limits)

    table = Table()
    small_hash, large_hash = Hash(), Hash()
    small_set, large_set = Set(), Set()
    small_zset, large_zset = SortedSet(), SortedSet()
    numbered = List()
    for number, key in enumerate(keys):
        table.set(key, b"value")
        large_hash.set(key, b"value", limits)
        large_set.add(key, limits)
        large_zset.add(key, float(number), 0, limits)
    for number, key in enumerate(few):
        small_hash.set(key, b"value", limits)
        small_set.add(key, limits)
        small_zset.add(key, float(number), 0, limits)
    numbered.push_tail(keys, 0, limits)
    cases["table: get of 20,000"] = (over(table.get, keys), 20_000)
    cases["table: set of 20,000"] = (over(lambda key: table.set(key, b"value"), keys), 20_000)
    cases["table: random key"] = (over(lambda _: table.random_key(random), keys), 2000)
    for form, names, a_hash, a_set, a_zset in (
        ("small", few, small_hash, small_set, small_zset),
        ("large", keys, large_hash, large_set, large_zset),
    ):
        cases[f"hash, {form}: get"] = (over(a_hash.get, names), 4000)
        cases[f"hash, {form}: set"] = (over(setting(a_hash), names), 4000)
        cases[f"set, {form}: contains"] = (over(a_set.__contains__, names), 4000)
        cases[f"zset, {form}: score"] = (over(a_zset.score, names), 4000)
        cases[f"zset, {form}: rank"] = (over(a_zset.rank, names), 2000)
        cases[f"zset, {form}: new score"] = (over(scoring(a_zset), names), 2000)
    cases["list: push at the end"] = (over(lambda key: numbered.push_tail([key], 0, limits), keys), 4000)
    cases["list: push at the front"] = (over(lambda key: numbered.push_head([key], 0, limits), keys), 4000)
    cases["list: pop at the front"] = (over(lambda _: numbered.pop_head(limits), keys), 300)
    cases["list: index in the middle"] = (over(lambda _: numbered.get(10_000), keys), 1000)
    return cases


@click.command(context_settings={"show_default": True})
@click.option("--only", default="", help="Cases whose name contains this text.")
@click.option("--repeats", type=click.IntRange(1), default=25, help="Repeats of each case; the fastest counts.")
@click.option("--quick", is_flag=True, help="Three repeats.")
@output_option
def main(only: str, repeats: int, quick: bool, output: Path) -> None:
    """Measure the parser, dispatch, the encoder and the data types in nanoseconds per operation.

    The table goes to the standard output, and with the figures to micro-FORM.json and micro-FORM.md in the folder
    --output, where FORM is compiled or pure.
    """
    if quick:
        repeats = 3
    form = "compiled" if COMPILED else "pure"
    cases = {**parsing(), **requests(), **datatypes()}
    results: dict[str, float] = {}
    chosen = [name for name in cases if only in name]
    with click.progressbar(chosen, label="measuring", file=sys.stderr) as names:
        for name in names:
            work, count = cases[name]
            results[name] = round(fastest(work, count, repeats), 1)
    lines = [f"| {form} form | ns |", "|---|---:|", *(f"| {name} | {spent:,.0f} |" for name, spent in results.items())]
    document = {"about": about({}), "version": __version__, "form": form, "nanoseconds": results}
    save(output, f"micro-{form}", document, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
