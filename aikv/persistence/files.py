"""The file layer: every call that can lose data goes through one object.

Theory of operation: RDB and AOF code never calls `os` for a file it writes; it is given a `Files`. The class below is
the operating system itself, one thin method per call. A test passes a subclass that records the calls, fails one of
them, or stops the world before or after it, which is how crash safety is proven rather than claimed.

Errors are the operating system's own `OSError`; whoever knows what the file meant turns them into a message.
"""

import errno
import os

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Files:
    """The operating system's files, by descriptor and path."""

    def open(self, path: str, flags: int, mode: int = 0o644) -> int:
        """Open `path` with `os.O_*` flags; returns a descriptor that children do not inherit."""
        return os.open(path, flags | os.O_CLOEXEC, mode)

    def read(self, fd: int, size: int) -> bytes:
        """Read at most `size` bytes; empty at the end of the file."""
        return os.read(fd, size)

    def write(self, fd: int, data: bytes) -> int:
        """Write once; returns the number of bytes taken, which may be fewer than given."""
        return os.write(fd, data)

    def fsync(self, fd: int) -> None:
        """Force data, and the metadata needed to read it back, to the disk."""
        os.fdatasync(fd)

    def truncate(self, fd: int, size: int) -> None:
        """Cut or extend the open file to `size` bytes."""
        os.ftruncate(fd, size)

    def close(self, fd: int) -> None:
        """Close the descriptor."""
        os.close(fd)

    def rename(self, source: str, target: str) -> None:
        """Atomically replace `target` by `source`; durable only after `fsync_dir`."""
        os.rename(source, target)

    def unlink(self, path: str) -> None:
        """Remove the name `path`."""
        os.unlink(path)

    def mkdir(self, path: str) -> None:
        """Make the folder `path` unless it is there."""
        os.makedirs(path, exist_ok=True)

    def fsync_dir(self, path: str) -> None:
        """Make renames, creations and removals in folder `path` durable."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        except OSError as error:
            # Some file systems force no folder to the disk and say so; nothing better can be done there.
            if error.errno not in (errno.EINVAL, errno.EBADF):
                raise
        finally:
            os.close(fd)

    def exists(self, path: str) -> bool:
        """Whether the name `path` is taken by anything, a dangling link included."""
        return os.path.lexists(path)

    def size(self, path: str) -> int:
        """Bytes in the file `path`."""
        return os.stat(path).st_size

    def listdir(self, path: str) -> list[str]:
        """Names in the folder `path`, sorted."""
        return sorted(os.listdir(path))


def write_all(files: Files, fd: int, data: bytes) -> None:
    """Write all of `data`, however many calls the system makes of it.

    Raises `OSError` as the system gives it; how much had been written by then is not known to the caller.
    """
    written = files.write(fd, data)
    while written < len(data):
        data = data[written:]
        written = files.write(fd, data)


def replace_file(files: Files, path: str, content: bytes) -> None:
    """Let the file at `path` hold `content`; after a crash it holds that or what it held before.

    A symbolic link stays one, and the permissions stay as they are; a file that was not there is its owner's only,
    because it can hold secrets. Raises `OSError`, and the file is then as it was.
    """
    path = os.path.realpath(path)
    mode = os.stat(path).st_mode & 0o777 if files.exists(path) else 0o600
    temporary = f"{path}.{os.getpid()}.tmp"
    fd = files.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        try:
            write_all(files, fd, content)
            files.fsync(fd)
        finally:
            files.close(fd)
        files.rename(temporary, path)
    except OSError:
        files.unlink(temporary)
        raise
    files.fsync_dir(os.path.dirname(path))
