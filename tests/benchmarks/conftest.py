"""The modules of benchmarks/, for the tests of their figures and tables.

Theory of operation: a benchmark is run as a script, from whose folder it imports its neighbours. That folder is on the
path here only while they are imported: `persistence` there is a benchmark, and in tests/ a room.
"""

import sys
from pathlib import Path

FOLDER = str(Path(__file__).parents[2] / "benchmarks")

sys.path.append(FOLDER)
try:
    import goals  # noqa: F401  imports all others that are tested
    import pauses  # noqa: F401
    import proofs  # noqa: F401
    import sliced  # noqa: F401  the server that it starts
    import snapshots  # noqa: F401
finally:
    sys.path.remove(FOLDER)
