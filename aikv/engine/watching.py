"""WATCH: who wants to find which keys unchanged when EXEC comes.

Theory of operation: each database keeps the `Watch`es of its keys, and each client those that are its own. They are
spoiled by a change of their key (`Database.touch_watchers`) and when a database is emptied or exchanged (`touch_all`).
`multi` asks whether they are.
"""

from typing import TYPE_CHECKING

from aikv.engine.client import Client
from aikv.keyspace.database import Database
from aikv.keyspace.watch import Watch

if TYPE_CHECKING:
    from aikv.engine.engine import Engine


def watch(engine: "Engine", client: Client, key: bytes) -> None:
    """Let EXEC of `client` fail if `key` of its database changes."""
    database = engine.databases[client.db]
    watches = database.watched.setdefault(key, {})
    if client.id not in watches:
        watch = Watch(client.db, key, database.is_expired(key, engine.now_ms))
        watches[client.id] = watch
        client.watching.append(watch)


def unwatch(engine: "Engine", client: Client) -> None:
    """Forget what `client` watches."""
    for watch in client.watching:
        watched = engine.databases[watch.db].watched
        watches = watched[watch.key]
        del watches[client.id]
        if not watches:
            del watched[watch.key]
    client.watching = []


def touch_all(database: Database, replacement: Database | None, now_ms: int) -> None:
    """Spoil WATCHes of `database`, which is about to be emptied or (`replacement`) exchanged with another.

    A key that is in neither has not changed, and one that is past its time counts as absent.
    """
    for key, watches in database.watched.items():
        is_there = database.table.get(key) is not None
        comes = replacement is not None and replacement.table.get(key) is not None
        if not is_there and not comes:
            continue
        comes_expired = comes and replacement is not None and replacement.is_expired(key, now_ms)
        for watch in watches.values():
            if watch.expired and (not comes or comes_expired):
                watch.expired = comes
            elif not is_there and comes_expired:
                watch.expired = True
            else:
                watch.spoiled = True
