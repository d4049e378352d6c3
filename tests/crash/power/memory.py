"""Files in memory that keep a record of every call which changes them, and fail the one that a test chooses.

Theory of operation: `MemoryFiles` is what a running kernel shows: every change is visible at once. `calls` lists the
changes in order, each with a `stamp`: what the journal of the test says at that moment. What a power cut leaves of
them is for `disk` to say.

The file calls of a background child are taken down as a `script` while its job runs on the dataset of the fork, and
carried out one by one between the calls of the parent, as those of a real child would be.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from aikv.persistence.files import Files


@dataclass(frozen=True)
class Stamp:
    """The journal at one moment: commands carried out, commands acknowledged, and the time in ms."""

    sent: int
    acknowledged: int
    now_ms: int


@dataclass(frozen=True)
class Call:
    """One change: `name` as in `Files`, but `create` for an open that makes a file. `node` is the file's number."""

    name: str
    path: str
    stamp: Stamp
    node: int = 0
    target: str = ""
    offset: int = 0
    data: bytes = b""
    failed: bool = False


@dataclass
class Opened:
    """An open descriptor."""

    node: int
    path: str
    flags: int
    position: int = 0


@dataclass
class Tree:
    """What a folder holds: names with the numbers of their files, the files' contents, and the folders."""

    names: dict[str, int] = field(default_factory=dict)
    nodes: dict[int, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def contents(self) -> dict[str, bytes]:
        """What each name holds."""
        return {name: self.nodes[node] for name, node in self.names.items()}


@dataclass
class Fault:
    """Call number `at` fails with `number`, and the next calls of the same name until there were `times` of them.

    `partly` lets a write take half of its data before.
    """

    at: int
    number: int
    times: int = 1
    partly: bool = False


class MemoryFiles(Files):
    """A disk that begins as `tree`; `witness` gives the stamp of a call."""

    def __init__(self, tree: Tree | None = None, witness: Callable[[], Stamp] | None = None) -> None:
        tree = tree if tree is not None else Tree()
        self.names = dict(tree.names)
        self.nodes = {number: bytearray(data) for number, data in tree.nodes.items()}
        self.folders = set(tree.folders)
        self.witness = witness
        self.calls: list[Call] = []
        self.fault: Fault | None = None
        self.failing = ""
        self.failures = 0
        self.script: list[Callable[[], None]] | None = None
        self._opened: dict[int, Opened] = {}
        self._next_fd = 1000
        self._next_node = max(self.nodes, default=0) + 1
        # The descriptors that a child's script uses, and those that they became.
        self._of_script: dict[int, int] = {}

    def tree(self) -> Tree:
        """What is there now, by every name that the kernel shows."""
        used = set(self.names.values()) | {opened.node for opened in self._opened.values()}
        nodes = {number: bytes(self.nodes[number]) for number in used}
        return Tree(dict(self.names), nodes, set(self.folders))

    def _note(self, name: str, path: str, **more: object) -> None:
        if self.witness is not None:
            self.calls.append(Call(name, path, self.witness(), **more))  # type: ignore[arg-type]

    def _fail(self, name: str, path: str, node: int = 0) -> bool:
        """Fail this call where the test wants it; True asks a write to take half of its data."""
        fault = self.fault
        if fault is None or (len(self.calls) != fault.at and name != self.failing):
            return False
        self.failures += 1
        if fault.partly and name == "write":
            self.fault = Fault(len(self.calls) + 1, fault.number)
            return True
        self.failing = name if self.failures < fault.times else ""
        self._note(name, path, node=node, failed=True)
        raise OSError(fault.number, os.strerror(fault.number), path)

    # Calls of `Files`.

    def open(self, path: str, flags: int, mode: int = 0o644) -> int:  # noqa: ARG002
        fd = self._next_fd
        self._next_fd += 1
        if self.script is not None:
            self.script.append(lambda: self._of_script.__setitem__(fd, self.open(path, flags)))
            return fd
        if path in self.folders and flags & (os.O_WRONLY | os.O_RDWR):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if path not in self.names and not flags & os.O_CREAT:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if flags & (os.O_WRONLY | os.O_RDWR):
            self._fail("open", path)
        if path not in self.names:
            node = self._next_node
            self._next_node += 1
            self._note("create", path, node=node)
            self.names[path] = node
            self.nodes[node] = bytearray()
        node = self.names[path]
        if flags & os.O_TRUNC and self.nodes[node]:
            self._note("truncate", path, node=node)
            del self.nodes[node][:]
        self._opened[fd] = Opened(node, path, flags)
        return fd

    def read(self, fd: int, size: int) -> bytes:
        opened = self._opened[fd]
        data = bytes(self.nodes[opened.node][opened.position : opened.position + size])
        opened.position += len(data)
        return data

    def write(self, fd: int, data: bytes) -> int:
        if self.script is not None:
            self.script.append(lambda: self._check_all(self.write(self._of_script[fd], data), data))
            return len(data)
        opened = self._opened[fd]
        if self._fail("write", opened.path, opened.node):
            data = data[: len(data) // 2]
        held = self.nodes[opened.node]
        offset = len(held) if opened.flags & os.O_APPEND else opened.position
        self._note("write", opened.path, node=opened.node, offset=offset, data=bytes(data))
        held[offset : offset + len(data)] = data
        opened.position = offset + len(data)
        return len(data)

    def _check_all(self, taken: int, data: bytes) -> None:
        assert taken == len(data)

    def fsync(self, fd: int) -> None:
        if self.script is not None:
            self.script.append(lambda: self.fsync(self._of_script[fd]))
            return
        opened = self._opened[fd]
        self._fail("fsync", opened.path, opened.node)
        self._note("fsync", opened.path, node=opened.node)

    def truncate(self, fd: int, size: int) -> None:
        opened = self._opened[fd]
        self._fail("truncate", opened.path, opened.node)
        held = self.nodes[opened.node]
        self._note("truncate", opened.path, node=opened.node, offset=size)
        held[size:] = bytes(max(size - len(held), 0))

    def close(self, fd: int) -> None:
        if self.script is not None:
            self.script.append(lambda: self.close(self._of_script.pop(fd)))
            return
        # Like Linux, which gives the descriptor up even where it reports an error of a late write.
        opened = self._opened.pop(fd)
        if opened.flags & (os.O_WRONLY | os.O_RDWR):
            self._fail("close", opened.path, opened.node)
            self._note("close", opened.path, node=opened.node)

    def rename(self, source: str, target: str) -> None:
        self._fail("rename", source)
        self._note("rename", source, node=self.names[source], target=target)
        self.names[target] = self.names.pop(source)

    def unlink(self, path: str) -> None:
        self._fail("unlink", path)
        if path not in self.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        self._note("unlink", path, node=self.names.pop(path))

    def mkdir(self, path: str) -> None:
        self._fail("mkdir", path)
        if path not in self.folders:
            self._note("mkdir", path)
            self.folders.add(path)

    def fsync_dir(self, path: str) -> None:
        self._fail("fsync_dir", path)
        self._note("fsync_dir", path)

    def exists(self, path: str) -> bool:
        return path in self.names or path in self.folders

    def size(self, path: str) -> int:
        if path not in self.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return len(self.nodes[self.names[path]])

    def listdir(self, path: str) -> list[str]:
        return sorted(name[len(path) + 1 :] for name in self.names if os.path.dirname(name) == path)
