"""Telling a service manager that the server is ready, or about to end.

Theory of operation: systemd's notification protocol (sd_notify(3)): one datagram to the Unix socket that the
environment variable NOTIFY_SOCKET names. `supervised auto` notifies where the variable is set.
"""

import os
import socket
from typing import Final

from aikv.base import log

READY: Final = b"STATUS=Ready to accept connections\nREADY=1\n"
STOPPING: Final = b"STOPPING=1\n"


def notify_supervisor(supervised: str, state: bytes) -> None:
    """Send `state` where `supervised` is `systemd`, or `auto` under systemd."""
    target = os.environ.get("NOTIFY_SOCKET", "")
    if supervised not in ("systemd", "auto") or (supervised == "auto" and not target):
        return
    if not target:
        log.warning("systemd supervision requested, but NOTIFY_SOCKET is not found")
        return
    # A leading @ stands for the NUL byte of the abstract namespace.
    address = "\0" + target[1:] if target.startswith("@") else target
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto(state, address)
    except OSError as error:
        log.warning("Can't notify systemd at %s: %s", target, error.strerror)
