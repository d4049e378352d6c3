"""The scripts of one engine: the cache, and what happens when one is run.

Theory of operation: a script that has been run or loaded stays, under its SHA-1, until SCRIPT FLUSH, as in Redis.
Scripts are neither saved nor journalled. To run one is to check whether it may run now, to make a `Run`, and to call
it in a slice of its own (`slices`); then to turn what it returned, or its error, into a reply.

Errors that were counted when they arose are not counted again when the script passes them on.
"""

from typing import TYPE_CHECKING, Any, Final

from aikv.base import log
from aikv.base.errors import CommandError
from aikv.engine import gates, monitor
from aikv.engine.client import Client
from aikv.engine.command import Command
from aikv.engine.context import Context
from aikv.engine.scripting import ScriptFigures, Scripting
from aikv.scripting.api import CONSTANTS, Api
from aikv.scripting.calls import Calls, Run
from aikv.scripting.random import ScriptRandom
from aikv.scripting.runtime import Failure, Killed, Runtime
from aikv.scripting.script import NO_WRITES, Script, sha1_hex, split_shebang
from aikv.scripting.slices import Slices
from aikv.scripting.to_reply import ReplyMaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from aikv.engine.engine import Engine

_NO_SCRIPT: Final = b"NOSCRIPT No matching script. Please use EVAL."
_WRITES: Final = b"ERR Can not execute a script with write flag using *_ro command."
_NOT_BUSY: Final = b"NOTBUSY No scripts in execution right now."
_UNKILLABLE: Final = (
    b"UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script "
    b"termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
)
_SHA_LENGTH: Final = 40
# What a cached script takes beside its text, roughly: objects of Python and of Lua.
_PER_SCRIPT: Final = 600


class Scripts(Scripting):
    """Scripts of `engine`."""

    def __init__(self, engine: "Engine") -> None:
        super().__init__()
        self._engine: Final = engine
        self._slices: Final = Slices(engine)
        self._calls: Final = Calls(engine, self._slices)
        self._random: Final = ScriptRandom()
        self._cache: dict[bytes, Script] = {}
        self._cached_bytes = 0
        self._runtime: Runtime | None = None

    # The cache.

    def load(self, text: bytes) -> Script:
        """The script `text`, which is kept; raises CommandError where it is none."""
        sha = sha1_hex(text)
        script = self._cache.get(sha)
        if script is None:
            body, flags, compatible = split_shebang(text)
            script = Script(text, self.runtime().compile(body), flags, compatible)
            self._cache[sha] = script
            self._cached_bytes += len(text) + _PER_SCRIPT
        return script

    def find(self, sha: bytes) -> Script:
        """The script of that name, in any case; raises CommandError where it is not there."""
        script = self._cache.get(sha.lower()) if len(sha) == _SHA_LENGTH else None
        if script is None:
            raise CommandError(_NO_SCRIPT)
        return script

    def exists(self, sha: bytes) -> bool:
        """Whether a script of that name is kept."""
        return sha.lower() in self._cache

    def flush(self) -> None:
        """Forget all scripts, and what they have left in the interpreter."""
        self._cache = {}
        self._cached_bytes = 0
        if self._runtime is not None:
            self._runtime.forget_error()
            self._runtime = None

    def figures(self) -> ScriptFigures:
        interpreter = self._runtime.memory() if self._runtime is not None and self._slices.slow is None else 0
        return ScriptFigures(interpreter, self._cached_bytes, len(self._cache))

    def runtime(self) -> Runtime:
        """The interpreter, which is made when it is first asked for."""
        if self._runtime is None:
            functions: dict[bytes, Callable[..., Any]] = {
                b"error_of": _error_of,
                b"tick": self._tick,
                b"random": self._random.draw,
                b"seed_random": self._random.seed,
            }
            self._runtime = Runtime(functions, Api(self._calls).functions(), CONSTANTS)
            self._calls.start(self._runtime)
        return self._runtime

    # Running.

    def may_write(self, command: Command, argv: list[bytes]) -> bool:
        script = self._cache.get(argv[1].lower() if command.name.startswith("evalsha") else sha1_hex(argv[1]))
        if script is not None:
            flags, compatible = script.flags, script.compatible
        else:
            try:
                _, flags, compatible = split_shebang(argv[1])
            except CommandError:
                # It will not run.
                return False
        return super().may_write(command, argv) if compatible else not flags & NO_WRITES

    def run_apart(self, client: Client, argv: list[bytes], work: "Callable[[], object]") -> object:
        return self._slices.run(client, argv, work)

    def evaluate(self, ctx: Context, argv: list[bytes], script: Script, keys: int, read_only: bool) -> object:
        """Run `script` for the command `argv`, the first `keys` of whose arguments are keys; returns the reply.

        `read_only` is whether the command forbids writing. Raises CommandError where the script may not run.
        """
        self._check(script, read_only)
        evaluation = _Evaluation(self, ctx, script, argv, keys, read_only)
        return self._slices.run(ctx.client, argv, evaluation.run)

    def _check(self, script: Script, read_only: bool) -> None:
        """Whether `script` may run now; one without a first line is judged by what it does."""
        if script.compatible or script.flags & NO_WRITES:
            return
        if self._engine.gates & gates.DISK_ERROR:
            raise CommandError(self._engine.disk_error)
        if read_only:
            raise CommandError(_WRITES)

    def run_now(self, ctx: Context, script: Script, argv: list[bytes], keys: int, read_only: bool) -> object:
        """Run `script` to its end; returns the reply."""
        engine = self._engine
        runtime = self.runtime()
        calls = self._calls
        run = Run(engine, calls.client, ctx, script, read_only or script.flags & NO_WRITES != 0)
        before = engine.dirty
        calls.run = run
        try:
            ended, value, *about = runtime.run(script.function, argv[3 : 3 + keys], argv[3 + keys :])
            maker = ReplyMaker(runtime, engine.stats, run.client.resp3)
            reply = maker.reply(value) if ended else maker.error(_report(script, value, about), about[2])
        finally:
            calls.run = None
        if not ended:
            runtime.forget_error()
        if maker.failed and ctx.client.last is not None:
            ctx.client.last.failed += 1
        # The script's own duration is that of everything in it.
        engine.set_time(run.began_ns)
        if engine.dirty != before:
            # Its commands have recorded themselves.
            ctx.rewritten = []
        return reply

    def _tick(self) -> bool:
        """Lua's hook: whether the script is to end at once."""
        return self._slices.over() and self._slices.rest()

    # Stopping.

    def kill(self) -> None:
        """SCRIPT KILL; raises CommandError where no script is slow, or where it has changed something."""
        run = self._calls.run
        if self._slices.slow is None or run is None:
            raise CommandError(_NOT_BUSY)
        if run.wrote:
            raise CommandError(_UNKILLABLE)
        self._slices.killed = True

    def show(self, client: Client, argv: list[bytes]) -> None:
        """Show monitors the command that runs a script, before what the script calls."""
        if self._engine.gates & gates.MONITORED and client.last is not None:
            monitor.show_anyhow(self._engine, client, client.last, argv)


class _Evaluation:
    """One EVAL, as work for `Slices.run`."""

    def __init__(
        self, scripts: Scripts, ctx: Context, script: Script, argv: list[bytes], keys: int, read_only: bool
    ) -> None:
        self._scripts: Final = scripts
        self._ctx: Final = ctx
        self._script: Final = script
        self._argv: Final = argv
        self._keys: Final = keys
        self._read_only: Final = read_only

    def run(self) -> object:
        """Run the script."""
        return self._scripts.run_now(self._ctx, self._script, self._argv, self._keys, self._read_only)


def _error_of(value: object) -> tuple[bytes | None, bool, bool]:
    """Of an error that a function of ours has raised: its text, whether it was counted, whether the script has to end.

    Without a text it is another object.
    """
    if not isinstance(value, Failure):
        if not isinstance(value, BaseException):
            return None, False, False
        log.warning("A function for scripts failed because of a fault in aikv: %s: %s", type(value).__name__, value)
        return b"ERR internal error, see the log", False, False
    return value.text, value.counted, isinstance(value, Killed)


def _report(script: Script, text: bytes | None, about: list[Any]) -> bytes:
    """The error that a script has ended with, and where."""
    source, line = about[0], about[1]
    text = text if text is not None else b"ERR unknown error"
    if source is None or line is None:
        return text
    return b"%b script: %b, on %b:%d." % (text, script.sha, source, line)
