"""What values are made of: structures without clients, keys or time.

In reading order: `table`, the scannable hash table that everything large is built on; `listpack` and `intset`, Redis's
packed forms, in which small collections are kept and written, with `listpack_check`, `listpack_distinct` and
`listpack_row` for those that come from files; `limits`, where one form ends and the other begins; `kinds`, what TYPE
and OBJECT must know of any value. Then a theme each: `strings`, `lcs`, `bits`, `bitfields`, `hyperloglog*`; `hashes`
with `field_times` and `field_names`; `sets` with `set_algebra`; `lists` on `quicklist` and `chunks`; `zsets` on
`zset_pack`, `ordered` and `positions`; `geohash`; `stream*`. `sampling` draws fairly from any of them, `memory`
estimates what they take.

Structures carry `_check()`, which asserts their invariants, and say what each operation costs.
"""
