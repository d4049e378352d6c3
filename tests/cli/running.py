"""Running the command `aikv` to its end."""

import subprocess
from pathlib import Path

from oracle.process import AIKV

PATIENCE_S = 20.0


def run(folder: Path, *arguments: str, stdin: str = "") -> tuple[int, str]:
    """Run aikv in `folder`; returns its exit status and all that it said."""
    ended = subprocess.run(
        [*AIKV, *arguments], cwd=folder, input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said, said
    return ended.returncode, said
