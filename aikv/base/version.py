"""Versions: ours, and that of the Redis whose behaviour we keep to."""

from typing import Final

VERSION: Final = "0.1.0"
REDIS_VERSION: Final = "7.2.4"
# What HELLO says. Client libraries switch features by it, and all that they use up to this version is there: times of
# hash fields, HSCAN NOVALUES, and caching in the client, which redis-py refuses to a server that names an older one.
CLIENT_VERSION: Final = "7.4.0"
