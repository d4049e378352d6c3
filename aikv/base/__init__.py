"""The ground floor: what every other room needs and what needs none of them.

Errors and the texts that clients see, numbers as Redis reads and prints them, glob patterns, quoting, the clock and
randomness as arguments, LZF (with `pieces`) and CRC64 for files, rows of texts, the log, the order of texts in a
locale, the latency monitor that files and engine share. Standard library and small C libraries only.
"""
