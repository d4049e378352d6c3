"""Data structures without clients, keys or time: `table`, the scannable hash table that larger ones are built on."""
