"""How the process that holds the engine comes to its end.

Theory of operation: SHUTDOWN and signals ask for the same thing; what it means is decided by whoever holds the
engine. A server saves and stops its loop.
"""

from mypy_extensions import mypyc_attr

from aikv.base.errors import CommandError


@mypyc_attr(allow_interpreted_subclasses=True)
class Lifecycle:
    """Takes requests to shut down."""

    def shutdown(self, save: bool | None, now: bool, force: bool) -> None:
        """End the process once everything is on the disk.

        `save` None saves where there are save points, True always, False never; `now` does not wait for replicas that
        lag behind; `force` goes on where something could not be written. Raises CommandError where that failed and
        the server goes on.
        """
        raise NotImplementedError

    def abort_shutdown(self) -> None:
        """SHUTDOWN ABORT. Raises CommandError where no shutdown is waiting."""
        raise CommandError(b"ERR No shutdown in progress.")
