"""Versions: ours, and that of the Redis whose behaviour we keep to."""

from typing import Final

VERSION: Final = "0.1.0"
REDIS_VERSION: Final = "7.2.4"
