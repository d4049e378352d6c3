"""Comparing aikv with a real redis-server, byte by byte.

Reading order: `wire` is a client that keeps replies raw; `process` starts and stops servers; `language`
is the one-line form of a case; `pair` sends the same commands to both servers and compares; `sequences`
lets Hypothesis write the commands; `scenes` has several clients that wait for each other; `conversation` lets
several clients speak in turn and collects what each of them is sent; `effects` reads events and records.
The fixtures that hand these out are in `tests/conftest.py`, the
one-line cases are in `tests/compat/cases`.

The replies are compared as bytes, not as values: a `:1` where Redis sends `$1` is a difference that some
client library will stumble over.
"""
