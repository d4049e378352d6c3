"""INFO: which sections are asked for, and the text that they make.

Theory of operation: every section is a function that returns its fields in order; this module knows their names, their
order and which belong to the default. The functions are in `info_process` (the process and its clients), `info_memory`
and `info_data` (the data and the commands). Source of names and order: https://redis.io/docs/latest/commands/info/
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aikv.engine import info_data, info_memory, info_process

if TYPE_CHECKING:
    from aikv.engine.engine import Engine

Fields = list[tuple[str, str]]


class Section:
    """One section: its heading, who makes its fields, and whether INFO alone shows it."""

    def __init__(self, title: str, fields: "Callable[[Engine], Fields]", default: bool = True) -> None:
        self.title: Final = title
        self.fields: Final = fields
        self.default: Final = default


def _no_fields(_engine: "Engine") -> Fields:
    return []


SECTIONS: Final[dict[bytes, Section]] = {
    b"server": Section("Server", info_process.server),
    b"clients": Section("Clients", info_process.clients),
    b"memory": Section("Memory", info_memory.memory),
    b"persistence": Section("Persistence", info_data.persistence),
    b"stats": Section("Stats", info_data.stats),
    b"replication": Section("Replication", info_data.replication),
    b"cpu": Section("CPU", info_process.cpu),
    b"modules": Section("Modules", _no_fields),
    b"commandstats": Section("Commandstats", info_data.command_stats, default=False),
    b"errorstats": Section("Errorstats", info_data.error_stats),
    b"latencystats": Section("Latencystats", info_data.latency_stats, default=False),
    b"cluster": Section("Cluster", info_data.cluster),
    b"keyspace": Section("Keyspace", info_data.keyspace),
}


def info_text(engine: "Engine", names: list[bytes]) -> bytes:
    """INFO's text for the sections in `names` (any case; none means the default); unknown names are left out."""
    texts: list[str] = []
    for name in _chosen(names):
        section = SECTIONS[name]
        lines = [f"# {section.title}\r\n"]
        lines += [f"{field}:{value}\r\n" for field, value in section.fields(engine)]
        texts.append("".join(lines))
    return "\r\n".join(texts).encode("utf-8", "surrogateescape")


def _chosen(names: list[bytes]) -> list[bytes]:
    wanted = {name.lower() for name in names}
    if wanted & {b"all", b"everything"}:
        return list(SECTIONS)
    with_default = not wanted or b"default" in wanted
    return [name for name, section in SECTIONS.items() if name in wanted or (with_default and section.default)]
