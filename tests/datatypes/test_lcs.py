"""The bit-parallel longest common subsequence is the one that Redis's table and walk give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.datatypes.lcs import lcs_length, lcs_matches

# Few different bytes, so that there are many longest subsequences to choose from.
TEXTS = st.one_of(
    *(st.lists(st.sampled_from(alphabet), max_size=24).map(bytes) for alphabet in (b"a", b"ab", b"abcde"))
)

Run = tuple[int, int, int]


def by_table(a: bytes, b: bytes) -> tuple[int, list[Run]]:
    """Return the length, and the runs in the order of the walk back, from a table of all lengths."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if x == y else max(table[i - 1][j], table[i][j - 1])
    runs: list[Run] = []
    i, j, extends = len(a), len(b), False
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            size = runs.pop()[2] if extends else 0
            runs.append((i, j, size + 1))
            extends = True
        else:
            extends = False
            if table[i - 1][j] > table[i][j - 1]:
                i -= 1
            else:
                j -= 1
    return table[len(a)][len(b)], runs


@given(TEXTS, TEXTS)
def test_same_length_and_same_runs_as_the_table(a: bytes, b: bytes) -> None:
    length, runs = by_table(a, b)
    assert lcs_length(a, b) == length
    assert [(match.a, match.b, match.size) for match in lcs_matches(a, b)] == runs


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_runs_are_equal_parts_in_falling_order_and_add_up(a: bytes, b: bytes) -> None:
    end_a, end_b, total = len(a), len(b), 0
    for match in lcs_matches(a, b):
        assert a[match.a : match.a + match.size] == b[match.b : match.b + match.size]
        assert match.size > 0
        assert match.a + match.size <= end_a
        assert match.b + match.size <= end_b
        end_a, end_b, total = match.a, match.b, total + match.size
    assert total == lcs_length(a, b)


@pytest.mark.parametrize(("a", "b"), [(100_000, 3), (3, 100_000)])
def test_a_long_string_against_a_short_one(a: int, b: int) -> None:
    assert lcs_length(b"x" * a, b"x" * b) == 3
    (match,) = lcs_matches(b"x" * a, b"x" * b)
    assert (match.a, match.b, match.size) == (a - 3, b - 3, 3)
