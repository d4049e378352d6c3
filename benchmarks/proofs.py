"""How often durability has been tried: the counts of the tests that cut, kill and damage.

Theory of operation: the tests count what they try with pytest's `record_property`, and pytest's summary adds it up
(`tests/conftest.py`). Here they are run, and the sums read from that summary; a test that fails ends it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import click

HERE = Path(__file__).parent
ROOT = HERE.parent
TESTS = ("tests/crash", "tests/persistence/test_mutated_payloads.py", "tests/persistence/test_mutated_rdb.py")
DEEP = ("--deep", "--mutations", "1000")
_COUNT = re.compile(r"([a-z][a-z ,]*): ([0-9][0-9,]*)")


def counts_in(summary: str) -> dict[str, int]:
    """Return the counts that pytest's output `summary` ends with, by what was counted."""
    found = (_COUNT.fullmatch(line.strip()) for line in summary.splitlines())
    return {match[1]: int(match[2].replace(",", "")) for match in found if match}


def proofs(deep: bool) -> dict[str, int]:
    """Run the tests, `deep` for everything instead of a part; return what they have tried, with nothing lost."""
    command = [sys.executable, "-m", "pytest", "--quiet", "-n", "2", *(str(ROOT / path) for path in TESTS)]
    # Without this folder: it has a `persistence`, and so have the tests.
    searched = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if not path.endswith(HERE.name)]
    run = subprocess.run(
        [*command, *(DEEP if deep else ())],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(searched)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise click.ClickException(f"a test of durability failed:\n{run.stdout}")
    return counts_in(run.stdout)


def proofs_table(counts: dict[str, int]) -> str:
    """Lay the counts out as a Markdown table."""
    lines = ["| tried, with nothing lost | times |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {name} | {count:,} |" for name, count in counts.items())]) + "\n"
