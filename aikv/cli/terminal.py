"""What the tools for files share on the terminal: errors on one line, progress, moments.

Theory of operation: `tool` wraps a command so that whatever stops it comes out as one line that says what to do next,
with status 2, and so that a reader that goes away (`| head`) ends the tool without a word. A progress bar is drawn on
standard error, and only where that is a terminal, so output can be piped and logs stay clean.

Moments are written and read in UTC. A moment without a zone is UTC, whatever the machine's zone is: a command that is
copied from a log on one machine to another means the same there.
"""

import functools
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn, ParamSpec, TypeVar

import click

from aikv.base import log
from aikv.base.errors import AikvError, CorruptFile

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

# Exit statuses of the tools that judge: all is well, something is wrong with what was examined, it was not examined.
GOOD = 0
BAD = 1
FAILED = 2

# datetime ends with the year 9999.
_LAST_SECOND = 253_402_300_799

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

Progress = Callable[[int], None]


def fail(message: str, status: int = FAILED) -> NoReturn:
    """Say `message` on standard error and end with `status`."""
    click.echo(f"Error: {message}", err=True)
    sys.exit(status)


def tool(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Make `function` end as tools do, whatever happens in it."""

    @functools.wraps(function)
    def guarded(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        # What the rooms below log is for a server's log: a tool words its own report.
        log.set_level("nothing")
        try:
            return function(*args, **kwargs)
        except CorruptFile as error:
            fail(f"{error}. {_advice(error)}", BAD)
        except AikvError as error:
            fail(str(error))
        except OSError as error:
            named = f"{error.filename}: " if error.filename else ""
            fail(f"{named}{error.strerror or error}. Check the name and the permissions.")
        except MemoryError:
            fail("out of memory: a value, or the dataset, does not fit.")
        except KeyboardInterrupt:
            fail("interrupted; nothing was completed.", 130)

    return guarded


def _advice(error: CorruptFile) -> str:
    if error.path.endswith((".aof", ".manifest")):
        return f"See more with: aikv check-aof {error.path}"
    return f"See more with: aikv check-rdb {error.path}"


@contextmanager
def progress(label: str, total: int) -> Iterator[Progress]:
    """A bar for `total` bytes; the function it gives is told how many bytes are done."""
    if not sys.stderr.isatty() or total <= 0:
        yield ignore
        return
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        done = 0

        def show(offset: int) -> None:
            nonlocal done
            bar.update(offset - done)
            done = offset

        yield show
        # The last block ends without another word.
        show(total)


def ignore(_offset: int) -> None:
    """Progress that nobody wants to see."""


def moment_text(unix_s: int) -> str:
    """Unix second `unix_s` as ISO 8601 in UTC; as it is where no calendar has it."""
    if not 0 <= unix_s <= _LAST_SECOND:
        return f"unix time {unix_s}"
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """The callback of an option that is a moment: ISO 8601, in UTC unless it names a zone, or a unix time.

    Gives a unix second.
    """
    if text is None or text.isdigit():
        return None if text is None else int(text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no moment. Write it as 2026-11-20T10:00:00 (UTC), 2026-11-20T10:00:00+01:00 or as a unix "
            "time in seconds."
        ) from error
    return int((when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp())


def plural(number: int, word: str) -> str:
    """`number` with `word`, in the plural where that fits: "1 key", "2 keys"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
