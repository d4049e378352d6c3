"""The keyspace: `database` (keys, values, expiry times), `expiry` (the active cycle), `access` (times of last use).

Knows values only as objects, and no client: what must follow from a change is the engine's affair.
"""
