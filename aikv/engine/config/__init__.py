"""Redis-compatible configuration: one table of directives, and everything that is derived from it.

Reading order: `directive` (a row), `kinds` and `specials` (how values are checked), `directives` and the `table_*`
modules (the rows), `store` (the values of one server, CONFIG GET and SET), `parse` and `load` (files and command
line), `rewrite` (CONFIG REWRITE), `conf_file` (the commented ``conf/aikv.conf``).
"""

from aikv.engine.config.errors import ConfigError, InvalidValue
from aikv.engine.config.load import load
from aikv.engine.config.store import Config, OutputLimit, RenamedCommand

__all__ = ["Config", "ConfigError", "InvalidValue", "OutputLimit", "RenamedCommand", "load"]
