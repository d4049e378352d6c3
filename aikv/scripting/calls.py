"""redis.call: a script's way back into the engine.

Theory of operation: what a script calls is looked up, refused for what only concerns scripts, and then called by
`Engine.call` like any other command, for a client of the scripts' own (`Run.client`) whose reply goes back to Lua. That
client has the rights and the database of whoever runs the script, but its own protocol, and must not wait.

Time stands still for a script: keys that run out meanwhile are there until its end.
"""

from typing import TYPE_CHECKING, Any, Final

from aikv.engine import gates, monitor
from aikv.engine.acl.check import denial
from aikv.engine.acl.enforce import refusal_in_script
from aikv.engine.client import Client, Link
from aikv.engine.command import MAY_REPLICATE, NOSCRIPT, READONLY, WRITE, Command
from aikv.engine.command_table import find_command
from aikv.engine.context import Context
from aikv.resp.encoder import encode_error
from aikv.scripting.runtime import Failure, Killed, Runtime
from aikv.scripting.script import Script
from aikv.scripting.to_lua import LuaReader

if TYPE_CHECKING:
    from aikv.engine.engine import Engine
    from aikv.scripting.slices import Slices

REPL_AOF: Final = 1
REPL_REPLICA: Final = 2

_OUTSIDE: Final = b"ERR redis.call/pcall can only be called inside a script invocation"
_NO_ARGUMENT: Final = b"ERR Please specify at least one argument for this redis lib call"
_WRONG_ARGUMENT: Final = b"ERR Lua redis lib command arguments must be strings or integers"
_UNKNOWN: Final = b"ERR Unknown Redis command called from script"
_WRONG_ARITY: Final = b"ERR Wrong number of args calling Redis command from script"
_NOT_ALLOWED: Final = b"ERR This Redis command is not allowed from script"
_READ_ONLY: Final = b"ERR Write commands are not allowed from read-only scripts."
_ERROR: Final = 0x2D


class ScriptLink(Link):
    """What the slow log says of a command that a script has called."""

    def address(self) -> str:
        return "?:0"


class Run:
    """One run of `script` for the client of `caller`; `read_only` where the command or the script says so."""

    def __init__(self, engine: "Engine", client: Client, caller: Context, script: Script, read_only: bool) -> None:
        self.client: Final = client
        self.caller: Final = caller.client
        self.script: Final = script
        self.read_only: Final = read_only
        self.began_ns: Final = int(engine.now_ns)
        self.began_ms: Final = int(engine.now_ms)
        # A command that writes has been called: the script cannot be killed any more.
        self.wrote = False
        self.replicated = REPL_AOF | REPL_REPLICA
        context = client.context
        assert context is not None
        context.select(self.caller.db)
        client.gates = self.caller.gates & gates.LIMITED
        client.user = self.caller.user
        client.no_touch = self.caller.no_touch
        client.resp3 = False
        client.time_us = self.began_ns // 1000


class Calls:
    """Carries out the commands of the script that runs."""

    def __init__(self, engine: "Engine", slices: "Slices") -> None:
        self._engine: Final = engine
        self._slices: Final = slices
        self.client: Final = Client(0, ScriptLink(), 0)
        self.client.context = Context(engine, self.client)
        self.client.deny_blocking = True
        self.client.scripted = True
        # Set once there is an interpreter.
        self.runtime: Runtime
        self.reader: LuaReader
        self.run: Run | None = None

    def start(self, runtime: Runtime) -> None:
        """Scripts are going to run in `runtime`."""
        self.runtime = runtime
        self.reader = LuaReader(runtime)

    def running(self) -> Run:
        """The script that runs; raises Failure where none does."""
        if self.run is None:
            raise Failure(_OUTSIDE)
        return self.run

    def call(self, *arguments: Any) -> Any:
        """`redis.call`: the reply as Lua has it; raises Failure for an error."""
        wire = self._perform(arguments)
        if wire[0] == _ERROR:
            raise Failure(wire[1:-2], True)
        return self.reader.read(wire)

    def pcall(self, *arguments: Any) -> Any:
        """`redis.pcall`: as `call`, but errors are returned, as tables."""
        try:
            wire = self._perform(arguments)
        except Killed:
            raise
        except Failure as failure:
            return self.runtime.err(failure.text, failure.counted)
        if wire[0] == _ERROR:
            return self.runtime.err(wire[1:-2], True)
        return self.reader.read(wire)

    def _perform(self, arguments: tuple[Any, ...]) -> bytes:
        """Call a command; returns its encoded reply, and raises Failure for what is no command."""
        run = self.running()
        argv = argument_list(arguments)
        engine = self._engine
        client = run.client
        command = find_command(engine.commands, argv)
        refusal = self._refusal(run, command, argv)
        if refusal is not None:
            if command is not None:
                command.rejected += 1
            engine.stats.count_error(refusal)
            encode_error(client.out, refusal)
            return client.out.take()
        assert command is not None
        if command.flags & WRITE:
            run.wrote = True
        recorded = len(engine.journal.unit)
        engine.call(client, command, argv)
        if not run.replicated & REPL_AOF:
            del engine.journal.unit[recorded:]
        engine.now_ms = run.began_ms
        wire = client.out.take()
        caller = run.caller
        caller.wrote = max(caller.wrote, client.wrote)
        if (caller.gates | engine.gates) & (gates.MONITORED | gates.TRACKING):
            self._tell(caller, command, argv)
        if engine.now_ns >= self._slices.ends_ns and self._slices.rest():
            raise Killed
        return wire

    def _refusal(self, run: Run, command: Command | None, argv: list[bytes]) -> bytes | None:
        """Why a script may not call this now; None where it may."""
        if command is None:
            return _UNKNOWN
        if not command.least <= len(argv) <= command.most:
            return _WRONG_ARITY
        flags = command.flags
        if flags & NOSCRIPT or command.handler is None:
            return _NOT_ALLOWED
        if run.caller.gates & gates.LIMITED:
            denied = refusal_in_script(self._engine, run.caller, command, argv)
            if denied is not None:
                return denied
        if run.read_only and flags & (WRITE | MAY_REPLICATE):
            return _READ_ONLY
        if flags & WRITE and not run.wrote and self._engine.gates & gates.DISK_ERROR:
            # What has begun is not stopped half-way.
            return self._engine.disk_error
        return None

    def _tell(self, caller: Client, command: Command, argv: list[bytes]) -> None:
        engine = self._engine
        if engine.gates & gates.MONITORED:
            monitor.show(engine, self.client, command, argv, b"lua")
        if caller.gates & gates.TRACKING and command.flags & READONLY:
            engine.tracking.remember(caller, command, argv)

    def may_call(self, *arguments: Any) -> bool:
        """`redis.acl_check_cmd`: whether the user of the script may send a command."""
        run = self.running()
        argv = argument_list(arguments)
        command = find_command(self._engine.commands, argv)
        if command is None:
            raise Failure(b"ERR Invalid command passed to redis.acl_check_cmd()")
        return denial(self._engine.users.of(run.caller), command, argv) is None


def argument_list(arguments: tuple[Any, ...]) -> list[bytes]:
    """A command from what Lua gives; raises Failure where that is no command."""
    if not arguments:
        raise Failure(_NO_ARGUMENT)
    argv: list[bytes] = []
    for argument in arguments:
        kind = type(argument)
        if kind is bytes:
            argv.append(argument)
        elif kind is int or kind is float:
            argv.append(number_text(argument))
        else:
            raise Failure(_WRONG_ARGUMENT)
    return argv


def number_text(number: float) -> bytes:
    """A number as an argument: C's `%.17g`."""
    if number != number:  # noqa: PLR0124 (what is no number differs from itself)
        return b"-nan"
    return b"%.17g" % number
