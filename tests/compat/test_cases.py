"""Every line of `tests/compat/cases` gets the same raw replies from aikv as from redis-server.

To test a command, write a line; `oracle/language.py` explains the form.
"""

from pathlib import Path

import pytest

from oracle.language import Case, read_cases
from oracle.pair import Pair

CASES = read_cases(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.place)
def test_same_replies(case: Case, pair: Pair) -> None:
    pair.compare(case.steps)
