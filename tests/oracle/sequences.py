"""Command sequences that Hypothesis writes, and shrinks when the servers disagree.

Theory of operation: a `CommandMachine` is a Hypothesis state machine whose every rule sends one command
to both servers. A room's test derives from it, with one rule for each kind of command and few key names,
so that commands meet: the rules' weights are what Hypothesis makes of them. One Hypothesis example is one
sequence, which starts on empty databases, and alternates between RESP2 and RESP3 as Hypothesis chooses.

How many sequences and how long they are comes from the profile: `ci` is small and the same each time,
`deep` (`pytest --deep`) is large and random. `run` plays a machine in a test function.
"""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from oracle.language import Step
from oracle.pair import PROTOCOLS, Pair, Session

Command = tuple[bytes, ...]

settings.register_profile("ci", max_examples=100, stateful_step_count=40, deadline=None, derandomize=True)
settings.register_profile(
    "deep",
    max_examples=3000,
    stateful_step_count=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class CommandMachine(RuleBasedStateMachine):
    """Derive from this, add rules that call `send`; `pair` is set by `run`."""

    pair: Pair

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None

    @initialize(protocol=st.sampled_from(PROTOCOLS))
    def connect(self, protocol: int) -> None:
        """Begin on empty databases."""
        self.session = Session(self.pair, protocol)

    def send(self, *argv: object, comparison: str = "exact", other: bool = False) -> bytes:
        """Send one command to both servers and compare; returns the oracle's raw reply."""
        assert self.session is not None
        words = tuple(word if isinstance(word, bytes) else str(word).encode() for word in argv)
        return self.session.step(Step(words, comparison, other))

    def teardown(self) -> None:
        """End of a sequence."""
        if self.session is not None:
            self.session.close()


def machine(commands: st.SearchStrategy[Command], comparison: str = "exact") -> type[CommandMachine]:
    """Make a machine of one rule, which sends whatever `commands` draws."""

    class Drawn(CommandMachine):
        @rule(argv=commands)
        def command(self, argv: Command) -> None:
            self.send(*argv, comparison=comparison)

    return Drawn


def run(pair: Pair, kind: type[CommandMachine]) -> None:
    """Play many sequences of the machine `kind`; raises the shortest `Difference` that was found.

    The phase that explains a failure is left out: it replays the sequence many times, over the network.
    """
    chosen = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink])
    run_state_machine_as_test(type(kind.__name__, (kind,), {"pair": pair}), settings=chosen)
