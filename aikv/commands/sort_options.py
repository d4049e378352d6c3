"""The arguments of SORT and SORT_RO, in any order and number behind the key."""

from typing import Final

from aikv.base.errors import SYNTAX, CommandError
from aikv.base.numbers import to_i64
from aikv.commands.sort_pattern import Pattern

_DENIED: Final = b"ERR %b option of SORT denied due to insufficient ACL permissions."
# How many words belong to an option, besides itself, where it is skipped in search of STORE.
_SKIPPED: Final[dict[bytes, int]] = {b"LIMIT": 2, b"GET": 1, b"BY": 1}


class SortOptions:
    """What is asked for; of options given twice the last holds.

    `by` is what elements are compared by, None being themselves; `in_order` keeps them in the order that they have.
    `start` and `count` are LIMIT's, as given. `gets` say what is returned of each, nothing being the element itself.
    """

    def __init__(self, argv: list[bytes], may_store: bool, may_read_others: bool) -> None:
        """Read `argv` from index 2 on; `may_read_others`: the user may read keys not named. Raises CommandError."""
        self._may_read_others: Final = may_read_others
        self.by: Pattern | None = None
        self.in_order = False
        self.descending = False
        self.alpha = False
        self.start = 0
        self.count = -1
        self.target: bytes | None = None
        self.gets: list[Pattern] = []
        index = 2
        while index < len(argv):
            index += 1 + self._take(argv, index, may_store)

    def _take(self, argv: list[bytes], index: int, may_store: bool) -> int:
        """Note the option at `index`; returns how many words belong to it besides itself."""
        option = argv[index].upper()
        behind = len(argv) - index - 1
        if option in (b"ASC", b"DESC"):
            self.descending = option == b"DESC"
            return 0
        if option == b"ALPHA":
            self.alpha = True
            return 0
        if option == b"LIMIT" and behind >= 2:
            self.start = to_i64(argv[index + 1])
            self.count = to_i64(argv[index + 2])
            return 2
        if option == b"STORE" and may_store and behind >= 1:
            self.target = argv[index + 1]
        elif option == b"BY" and behind >= 1:
            self.by = Pattern(argv[index + 1])
            if not self.by.is_constant and not self._may_read_others:
                raise CommandError(_DENIED % b"BY")
            # Once it has been said that nothing is to be compared, a later BY does not change that.
            self.in_order = self.in_order or self.by.is_constant
        elif option == b"GET" and behind >= 1:
            if not self._may_read_others:
                raise CommandError(_DENIED % b"GET")
            self.gets.append(Pattern(argv[index + 1]))
        else:
            raise CommandError(SYNTAX)
        return 1

    def slice_of(self, size: int) -> tuple[int, int]:
        """The index of the first element of `size` that LIMIT leaves, and the one behind the last."""
        start = min(max(self.start, 0), size)
        return start, size if self.count < 0 else min(start + self.count, size)


def sort_keys(argv: list[bytes]) -> list[int]:
    """Indexes of the keys of SORT: the one that is sorted, and the last that a STORE names.

    As in Redis the words behind STORE are looked at, too, as if they were options.
    """
    target = 0
    index = 2
    while index < len(argv):
        word = argv[index].upper()
        if word == b"STORE" and index + 1 < len(argv):
            target = index + 1
        index += 1 + _SKIPPED.get(word, 0)
    return [1, target] if target else [1]
