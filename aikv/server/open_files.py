"""How many connections the operating system lets the server have.

Theory of operation: every client takes a file descriptor, and a process may have only so many. At start, and when
`maxclients` is raised, the server asks for as many as it needs, keeping some for data files, logs and listening
sockets as Redis does; where the system gives fewer, fewer clients are let in.
"""

import resource
from typing import Final

# Descriptors that no client may take.
RESERVED: Final = 32


def clients_allowed(wanted: int) -> int:
    """Let this process open the files that `wanted` clients need; returns how many clients it has room for.

    The result is `wanted` or less, and not positive where there is room for none.
    """
    needed = wanted + RESERVED
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    # Only a privileged process may go beyond the hard limit.
    for limits in ((needed, max(hard, needed)), (min(needed, hard), hard)):
        if hard == resource.RLIM_INFINITY:
            limits = (needed, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        except (ValueError, OSError):
            continue
        return limits[0] - RESERVED
    return soft - RESERVED
