"""What every test can ask for: the servers, and how much Hypothesis tries.

The server fixtures live as long as the test session (one of each for every xdist worker); a test that
restarts, kills or reconfigures a server takes `start_server` and has its own.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

import aikv.base.form
from oracle.pair import Pair
from oracle.process import AIKV, REDIS, VOLATILE, ServerProcess, redis_missing

StartServer = Callable[..., ServerProcess]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this suite."""
    parser.addoption("--commands", type=int, default=5000, help="how many commands test_deep_sequences generates")
    parser.addoption("--mutations", type=int, default=50, help="how many damaged values of each form are tried")
    parser.addoption("--seed", default="0", help="which commands are generated, and which damage")
    parser.addoption("--deep", action="store_true", help="try much more: Hypothesis at random, crash tests everywhere")
    parser.addoption(
        "--subject",
        default="aikv",
        help="compare this program instead of aikv; redis-server checks the cases",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose Hypothesis's profile, and refuse to test another form of aikv than was asked for."""
    import oracle.sequences  # noqa: F401  registers the profiles

    settings.load_profile("deep" if config.getoption("--deep") else "ci")
    form = "compiled" if aikv.base.form.COMPILED else "pure"
    expected = os.environ.get("AIKV_EXPECT", form)
    if form != expected:
        raise pytest.UsageError(f"the {expected} form was to be tested, but {aikv.__file__} is {form}")


def pytest_report_header() -> str:
    """Say which aikv is under test."""
    form = "compiled" if aikv.base.form.COMPILED else "pure"
    return f"aikv: {form}, from {Path(str(aikv.__file__)).parent}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what tests have counted with `record_property`, such as crash points."""
    sums: dict[str, int] = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            sums[name] = sums.get(name, 0) + int(value)
    for name, count in sorted(sums.items()):
        terminalreporter.write_line(f"{name}: {count:,}")


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a real redis-server; without one the test is skipped, and in CI it fails."""
    missing = redis_missing()
    if missing is not None and os.environ.get("CI"):
        pytest.fail(missing)
    if missing is not None:
        pytest.skip(missing)
    server = ServerProcess(REDIS, tmp_path_factory.mktemp("oracle"), VOLATILE)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def aikv_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run aikv with the settings of the oracle."""
    subject = request.config.getoption("--subject")
    program = AIKV if subject == "aikv" else (subject,)
    server = ServerProcess(program, tmp_path_factory.mktemp("aikv"), VOLATILE)
    server.start()
    yield server
    assert "Traceback" not in server.log(), server.log()
    assert server.stop() == 0, server.log()


@pytest.fixture(scope="session")
def pair(oracle: ServerProcess, aikv_server: ServerProcess) -> Pair:
    """Both servers, to send the same to."""
    return Pair(oracle, aikv_server)


@pytest.fixture
def compare(pair: Pair) -> Callable[..., None]:
    """Compare one case: `compare("SET a b EX 10; TTL a")`."""
    return pair.compare


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers that belong to one test: `start_server(AIKV, "--appendonly", "yes")`.

    The keyword `name` names the folder below `tmp_path`; the same name means the same data.
    """
    started: list[ServerProcess] = []

    def start(program: Sequence[str], *arguments: str, name: str = "server") -> ServerProcess:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        server = ServerProcess(program, folder, arguments)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()
