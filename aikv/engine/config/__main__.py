"""Print the commented configuration file: ``python -m aikv.engine.config > conf/aikv.conf``."""

import sys

from aikv.engine.config.conf_file import conf_file

sys.stdout.buffer.write(conf_file())
