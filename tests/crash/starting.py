"""Starts that have to fail, and the small disks and limits that make them."""

import subprocess
from pathlib import Path

from oracle.process import AIKV, free_port

REFUSED_IN_S = 20.0


def refused(folder: Path, *arguments: str) -> str:
    """Start aikv in `folder`, which must end with exit status 1 and without a traceback; returns what it said."""
    port = [] if "--port" in arguments else ["--port", str(free_port())]
    command = [*AIKV, *port, "--bind", "127.0.0.1", "--dir", str(folder), *arguments]
    ended = subprocess.run(
        command,
        cwd=folder if folder.is_dir() else None,
        capture_output=True,
        text=True,
        timeout=REFUSED_IN_S,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "Traceback" not in said, said
    return said


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` and what it holds, the server's log left out."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "server.log"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
