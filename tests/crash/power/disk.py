"""What a power cut leaves of recorded calls.

Theory of operation: POSIX promises that an fsync of a file keeps its data and size, and that an fsync of a folder
keeps the names that were made, replaced and removed in it. `Disk` knows for each file what is durable and which
changes wait (`pending`), and the same for names. Nothing else is promised: of what waits, an `Image` holds any part,
in any order, as far as one change does not rest on another:

- Of the names, all, none, the first few, or some; a change of a name brings the earlier changes of that name along.
  A rename is one step, and durable with the folder it goes to. Where a folder's own name is missing, so are all in it.
- Of a file's data, all, none, or the first few writes with the last one torn at 512 bytes or 4 KiB; or the same with
  the file's full length, zeros in place of what is missing; or any of its blocks, zeros or the old content in place
  of the others.

An fsync that failed has, as on Linux, given up what waited: the kernel goes on showing it (`seen`), but no later fsync
brings it to the disk.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from crash.power.memory import Call, Tree

SECTOR = 512
PAGE = 4096
# How names, and how data, are taken from what waits.
NAMES = ("none", "all", "first", "some")
DATA = ("none", "all", "torn", "zeros", "blocks")


@dataclass
class Waiting:
    """The durable content of one file, and the changes that wait, each (offset, data); data None cuts the file."""

    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    # What the kernel shows.
    seen: bytes = b""

    def change(self, offset: int, data: bytes | None) -> None:
        """Write, or cut."""
        self.pending.append((offset, data))
        self.seen = applied(self.seen, [(offset, data)])

    def after(self, count: int) -> bytes:
        """The content with the first `count` of the changes."""
        return applied(self.durable, self.pending[:count])


@dataclass(frozen=True)
class Image:
    """Files after a power cut: `gaps` are the parts, (path, start, end), where zeros stand before later data."""

    names: str
    data: str
    tree: Tree
    gaps: tuple[tuple[str, int, int], ...] = ()


def applied(content: bytes, changes: list[tuple[int, bytes | None]]) -> bytes:
    """`content` after `changes`."""
    held = bytearray(content)
    for offset, data in changes:
        if data is None:
            held[offset:] = bytes(max(offset - len(held), 0))
        else:
            held.extend(bytes(max(offset - len(held), 0)))
            held[offset : offset + len(data)] = data
    return bytes(held)


class Disk:
    """The disk under the calls that `apply` has been given."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.folders: set[str] = set()
        # Folders that were made under this record.
        self.made: set[str] = set()
        self.pending: list[Call] = []
        self.files: dict[int, Waiting] = {}

    def apply(self, call: Call) -> None:
        """Take in one call."""
        if call.name in ("create", "rename", "unlink", "mkdir") and not call.failed:
            self.pending.append(call)
            if call.name == "create":
                self.files[call.node] = Waiting()
            elif call.name == "mkdir":
                self.made.add(call.path)
        elif call.name == "write" and not call.failed:
            self.files[call.node].change(call.offset, call.data)
        elif call.name == "truncate" and not call.failed:
            self.files[call.node].change(call.offset, None)
        elif call.name == "fsync":
            file = self.files[call.node]
            if not call.failed:
                file.durable = file.after(len(file.pending))
            file.pending = []
        elif call.name == "fsync_dir" and not call.failed:
            chosen = [index for index, waiting in enumerate(self.pending) if folder_of(waiting) == call.path]
            taken = self._with_what_they_rest_on(chosen)
            self.names, self.folders = self._named(taken)
            self.pending = [waiting for index, waiting in enumerate(self.pending) if index not in taken]

    def live(self) -> Tree:
        """What the kernel shows."""
        names, folders = self._named(set(range(len(self.pending))))
        return Tree(names, {node: file.seen for node, file in self.files.items()}, folders)

    def images(self, chance: Random, kinds: list[tuple[str, str]]) -> Iterator[Image]:
        """One image for each pair of NAMES and DATA."""
        for names, data in kinds:
            named, folders = self._named(self._choose_names(names, chance))
            unseen = self.made - folders
            named = {path: node for path, node in named.items() if os.path.dirname(path) not in unseen}
            used = set(named.values())
            nodes: dict[int, bytes] = {}
            gaps: list[tuple[str, int, int]] = []
            for node in sorted(used):
                nodes[node], missing = left_of(self.files[node], data, chance)
                path = next(path for path, number in named.items() if number == node)
                gaps += [(path, start, end) for start, end in missing]
            yield Image(names, data, Tree(named, nodes, folders), tuple(gaps))

    def _choose_names(self, how: str, chance: Random) -> set[int]:
        count = len(self.pending)
        if how == "none":
            return set()
        if how == "all":
            return set(range(count))
        if how == "first":
            return set(range(chance.randint(0, count)))
        return self._with_what_they_rest_on([index for index in range(count) if chance.random() < 0.5])

    def _with_what_they_rest_on(self, chosen: list[int]) -> set[int]:
        """The changes of names with those before them that they cannot be without."""
        taken: set[int] = set()
        paths: set[str] = set()
        for index in range(len(self.pending) - 1, -1, -1):
            touched = touched_by(self.pending[index])
            if index in chosen or paths & touched:
                taken.add(index)
                paths |= touched
        return taken

    def _named(self, taken: set[int]) -> tuple[dict[str, int], set[str]]:
        names = dict(self.names)
        folders = set(self.folders)
        for index in sorted(taken):
            call = self.pending[index]
            if call.name == "mkdir":
                folders.add(call.path)
            elif call.name == "create":
                names[call.path] = call.node
            elif call.name == "unlink":
                names.pop(call.path, None)
            else:
                names[call.target] = names.pop(call.path)
        return names, folders


def touched_by(call: Call) -> set[str]:
    """The names that a call changes."""
    return {call.path, call.target} if call.target else {call.path}


def folder_of(call: Call) -> str:
    """The folder whose fsync makes a change of names durable."""
    return os.path.dirname(call.target or call.path)


def left_of(file: Waiting, how: str, chance: Random) -> tuple[bytes, list[tuple[int, int]]]:
    """What is left of one file; and the parts in it where zeros stand instead of data that waited."""
    full = file.after(len(file.pending))
    if how == "none" or not file.pending:
        return file.durable, []
    if how == "all":
        return full, []
    block = chance.choice((SECTOR, PAGE))
    if how == "blocks":
        return some_blocks(file.durable, full, block, chance)
    count = chance.randrange(len(file.pending))
    torn = torn_at(file.after(count), file.pending[count], block, chance)
    if how == "torn" or len(torn) >= len(full):
        return torn, []
    return torn + bytes(chance.randint(0, len(full) - len(torn))), []


def torn_at(content: bytes, change: tuple[int, bytes | None], block: int, chance: Random) -> bytes:
    """`content` with a part of one more change, up to a border of blocks."""
    offset, data = change
    if data is None:
        return content
    borders = [0, *range(block - offset % block, len(data), block)]
    return applied(content, [(offset, data[: chance.choice(borders)])])


def some_blocks(old: bytes, full: bytes, block: int, chance: Random) -> tuple[bytes, list[tuple[int, int]]]:
    """Some blocks of `full`, and what was there before in place of the others; see `left_of`."""
    blocks: list[bytes] = []
    missing: list[tuple[int, int]] = []
    end = 0
    for start in range(0, len(full), block):
        new = full[start : start + block]
        before = old[start : start + block].ljust(len(new), b"\0")[: len(new)]
        if new == before or chance.random() < 0.5:
            blocks.append(new)
            end = start + len(new)
        else:
            blocks.append(before)
            # Within the block, what lies behind the old end of the file.
            missing.append((max(start, min(len(old), start + len(new))), start + len(new)))
    end = max(end, min(len(old), len(full)))
    return b"".join(blocks)[:end], [gap for gap in missing if gap[0] < end]
