"""Data structures without clients, keys or time: `table`, the scannable hash table that everything larger is built on."""
