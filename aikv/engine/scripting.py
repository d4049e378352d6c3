"""What the engine knows of scripts.

Theory of operation: scripts live on a higher floor, and an engine alone has none: whoever puts a server together
replaces this `Scripting` by one that has a Lua interpreter. The engine and its commands ask it for figures, and hand it
what may run scripts and so may take long.
"""

from collections.abc import Callable

from mypy_extensions import mypyc_attr

from aikv.engine.client import Client
from aikv.engine.command import MAY_REPLICATE, Command


class Aside:
    """What a command has recorded and left to do that goes on later; see `Engine.set_aside`."""

    def __init__(
        self, depth: int, unit: list[tuple[int, list[bytes]]], deferred: list[bytes], unfinished: bool
    ) -> None:
        self.depth = depth
        self.unit = unit
        self.deferred = deferred
        self.unfinished = unfinished


class ScriptFigures:
    """Bytes of the interpreter and of the cached scripts, and their number."""

    def __init__(self, interpreter: int, cache: int, scripts: int) -> None:
        self.interpreter = interpreter
        self.cache = cache
        self.scripts = scripts


@mypyc_attr(allow_interpreted_subclasses=True)
class Scripting:
    """Scripts of an engine that has none."""

    def figures(self) -> ScriptFigures:
        """What scripts take of memory."""
        return ScriptFigures(0, 0, 0)

    def may_write(self, command: Command, argv: list[bytes]) -> bool:  # noqa: ARG002
        """Whether the script that `argv` of `command` runs may change something, as far as it says so."""
        return command.flags & MAY_REPLICATE != 0

    def run_apart(self, client: Client, argv: list[bytes], work: Callable[[], object]) -> object:  # noqa: ARG002
        """Do `work`, which runs scripts, for the running command `argv` of `client`.

        Returns what it returns; NO_REPLY where it takes so long that others come first, and `client` waits then.
        Raises what it raises.
        """
        return work()
