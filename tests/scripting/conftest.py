"""What tests of scripting can ask for."""

from collections.abc import Iterator

import pytest

from oracle.process import ServerProcess
from scripting.library_scripts import BothEngines


@pytest.fixture(scope="session")
def both(oracle: ServerProcess) -> Iterator[BothEngines]:
    """Run scripts on the oracle and on lupa with the libraries of aikv."""
    engines = BothEngines(oracle)
    yield engines
    engines.connection.close()
