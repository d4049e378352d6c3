"""Times of commands become Unix milliseconds, and what no 64-bit integer holds is refused in the command's name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base.errors import NOT_AN_INTEGER, CommandError
from aikv.engine.expire_time import MILLISECONDS, SECONDS, expire_at

NOW = 1_700_000_000_000
I64_MAX = 2**63 - 1


@given(st.integers(-(2**66), 2**66), st.sampled_from([SECONDS, MILLISECONDS]), st.sampled_from([0, NOW]))
def test_a_time_is_exact_or_refused(value: int, unit: int, base_ms: int) -> None:
    text = b"%d" % value
    # C divides towards zero, so that the limits in seconds are the same on both sides.
    most = I64_MAX // 1000 if unit == SECONDS else I64_MAX
    least = -most if unit == SECONDS else -I64_MAX - 1
    if least <= value <= most and value * unit + base_ms <= I64_MAX:
        assert expire_at(text, unit, base_ms, "expire", positive=False) == value * unit + base_ms
    else:
        with pytest.raises(CommandError, match=r"invalid expire time in 'expire' command|not an integer"):
            expire_at(text, unit, base_ms, "expire", positive=False)


@pytest.mark.parametrize(
    ("seconds", "fits"),
    [
        (I64_MAX // 1000, True),
        (I64_MAX // 1000 + 1, False),
        (-(I64_MAX // 1000), True),
        (-(I64_MAX // 1000) - 1, False),
    ],
)
def test_the_most_seconds(seconds: int, fits: bool) -> None:
    if fits:
        assert expire_at(b"%d" % seconds, SECONDS, 0, "expire", positive=False) == seconds * 1000
    else:
        with pytest.raises(CommandError, match="invalid expire time"):
            expire_at(b"%d" % seconds, SECONDS, 0, "expire", positive=False)


@pytest.mark.parametrize("text", [b"0", b"-1"])
def test_set_takes_only_times_above_zero(text: bytes) -> None:
    with pytest.raises(CommandError, match="invalid expire time in 'set' command"):
        expire_at(text, SECONDS, NOW, "set", positive=True)


@pytest.mark.parametrize("text", [b"", b"x", b"1.5", b" 1", b"01", b"9223372036854775808"])
def test_what_is_no_integer_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        expire_at(text, MILLISECONDS, NOW, "set", positive=True)
    assert refused.value.text == NOT_AN_INTEGER
