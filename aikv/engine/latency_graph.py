"""LATENCY GRAPH: the samples of one event as a chart of characters.

Theory of operation: one column per sample, oldest first, four rows high; a column is filled up to its height, whose top
has one of three characters, so that twelve heights can be told apart. Below each column stands downwards how long ago
it was. The form is that of Redis's sparklines, so that programs find what they know.
"""

from typing import Final

from aikv.base.latency import LatencyEvent

_ROWS: Final = 4
_COLUMNS: Final = 80
# The top of a column, from low to high within its row, and what is below the top.
_TOPS: Final = "_o#"
_FILL: Final = "|"
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400


def graph(name: str, event: LatencyEvent, now_s: int) -> str:
    """The chart of `event`, whose name is `name`, at Unix second `now_s`."""
    latencies = [latency for _, latency in event.samples]
    low, high = min(latencies), max(latencies)
    lines = [f"{name} - high {high} ms, low {low} ms (all time high {event.worst_ms} ms)", "-" * _COLUMNS]
    for start in range(0, len(latencies), _COLUMNS):
        if start:
            lines.append("")
        heights = [_height(latency - low, high - low) for latency in latencies[start : start + _COLUMNS]]
        ages = [_age(now_s - at_s) for at_s, _ in event.samples[start : start + _COLUMNS]]
        lines += _columns(heights)
        lines.append(" " * len(heights))
        lines += _downwards(ages)
    return "\n".join(lines) + "\n"


def _height(above: int, span: int) -> int:
    """How many of the steps a column has, 0 being the lowest of them."""
    steps = _ROWS * len(_TOPS)
    return min(above * steps // max(span, 1), steps - 1)


def _columns(heights: list[int]) -> list[str]:
    lines: list[str] = []
    for row in range(_ROWS - 1, -1, -1):
        base = row * len(_TOPS)
        line = ""
        for height in heights:
            if height < base:
                line += " "
            elif height < base + len(_TOPS):
                line += _TOPS[height - base]
            else:
                line += _FILL
        lines.append(line)
    return lines


def _downwards(labels: list[str]) -> list[str]:
    lines: list[str] = []
    for row in range(max(len(label) for label in labels)):
        lines.append("".join(label[row : row + 1] or " " for label in labels))
    return lines


def _age(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < _DAY:
        return f"{seconds // _HOUR}h"
    return f"{seconds // _DAY}d"
