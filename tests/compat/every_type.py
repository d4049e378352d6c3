"""Commands on every type, with and without effect, in sequences that begin with empty databases."""

from oracle.language import Step, parse_steps

STRINGS = """
SET a 1; SET a 2 EX 100; SETNX a 3; SETNX b 3; SETEX a 100 x; PSETEX a 100000 x; GETSET a y; APPEND a z
APPEND new z; SETRANGE a 1 q; SETRANGE a 9 ''; MSET a 1 c 2; MSETNX c 1 d 2; MSETNX e 1 f 2; INCR a
DECRBY a 3; INCRBYFLOAT a 1.5; GETDEL b; GETDEL b; GETEX a EX 100; GETEX a PERSIST; GETEX a PERSIST
SET a 5 KEEPTTL; SET a 1 XX GET; SET nokey 1 XX; SETBIT bits 7 1; BITOP NOT bits2 bits; BITOP AND bits2 nokey
BITFIELD bits SET u8 0 255; BITFIELD bits GET u8 0; PFADD hll a b; PFADD hll a; PFMERGE hll2 hll
PFCOUNT hll hll2; GET a; GET nokey; STRLEN nokey; MGET a nokey
"""
GENERIC = """
SET a 1; SET b 1; DEL a nokey b; SET a 1; UNLINK a; SET a 1; RENAME a b; RENAMENX b a; RENAME a a; SET b 2
RENAMENX a b; COPY a c; COPY a c; COPY a c REPLACE; MOVE c 3; MOVE c 3; EXPIRE a 100; EXPIRE a 200 LT
EXPIRE nokey 1; PEXPIRE a 9999; PERSIST a; PERSIST a; EXPIRE a -1; EXPIREAT b 9999999999; PEXPIREAT b 1
TOUCH b; RESTORE r 0 "\\x00\\x01x\\x0a\\x00bad"; TYPE nokey; EXISTS nokey; TTL nokey; OBJECT ENCODING nokey
DUMP nokey; RANDOMKEY; SCAN 0; FLUSHDB
"""
LISTS = """
RPUSH l a b c; LPUSH l x; LPUSHX l y; RPUSHX l z; LPUSHX nokey y; LPOP l; RPOP l 2; LPOP nokey; LSET l 0 q
LINSERT l BEFORE q p; LINSERT l AFTER nope p; LREM l 0 q; LREM l 0 nope; LTRIM l 0 -1; LTRIM l 0 0
LMOVE l m LEFT RIGHT; RPOPLPUSH m l; RPOPLPUSH nokey l; LMPOP 1 l LEFT; RPUSH l a b
LMPOP 2 nokey l RIGHT COUNT 5; RPUSH l a; BLPOP l 0; RPUSH l a; BRPOP nokey l 0; RPUSH l a
BLMOVE l m LEFT LEFT 0; BRPOPLPUSH m l 0; BLMPOP 0 1 l LEFT; LLEN l; LRANGE nokey 0 1; LINDEX nokey 0
LPOS nokey x
"""
SETS = """
SADD s a b c; SADD s a; SREM s a nope; SREM s nope; SPOP s 0; SMOVE s t nope; SADD t b; SMOVE s t b
SMOVE t s b; SMEMBERS nokey; SINTERSTORE i s t; SUNIONSTORE u s t; SDIFFSTORE d s t; SINTERSTORE i nokey
SINTERSTORE i nokey; SREM s b c; SISMEMBER nokey a; SPOP nokey
"""
HASHES = """
HSET h f v g w; HSET h f v; HSETNX h f 2; HSETNX h n 2; HINCRBY h n 3; HINCRBYFLOAT h n 1.5; HMSET h f 3
HDEL h f nope; HDEL h nope; HDEL h g n; HGET nokey f; HGETALL nokey; HLEN nokey; HINCRBY fresh n 1
"""
SORTED = """
ZADD z 1 a 2 b 3 c; ZADD z 1 a; ZADD z XX CH 5 a; ZADD z NX 9 a; ZADD z INCR 2 a; ZINCRBY z 2 b; ZREM z nope
ZREM z c; ZPOPMIN z; ZPOPMAX z; ZADD z 1 a 2 b 3 c 4 d; ZREMRANGEBYRANK z 0 0; ZREMRANGEBYSCORE z 2 2
ZREMRANGEBYLEX z - +; ZREMRANGEBYRANK nokey 0 0; ZADD z 1 a 2 b; ZADD y 1 a; ZUNIONSTORE u 2 z y
ZINTERSTORE i 2 z y; ZDIFFSTORE d 2 z y; ZDIFFSTORE d 2 y z; ZRANGESTORE r z 0 -1; ZRANGESTORE r nokey 0 -1
ZMPOP 1 z MIN; BZMPOP 0 1 z MIN; ZADD z 1 a; BZPOPMIN z 0; ZADD z 1 a; BZPOPMAX z 0; ZRANGE nokey 0 1
ZSCORE nokey a; GEOADD g 13.36 38.11 p 15.08 37.5 c; GEOADD g 13.36 38.11 p
GEOSEARCHSTORE gs g FROMMEMBER p BYRADIUS 200 km ASC; GEORADIUS g 15 37 200 km STORE gr
"""
STREAMS = """
XADD s 1-1 f v; XADD s 1-2 f v; XADD s MAXLEN 1 1-3 f v; XADD s NOMKSTREAM 1-4 f v
XADD nokey NOMKSTREAM 1-1 f v; XTRIM s MAXLEN 1; XTRIM s MAXLEN 1; XDEL s 1-4; XDEL s 1-4; XSETID s 5-0
XGROUP CREATE s g 0; XGROUP CREATE new g 0 MKSTREAM; XGROUP SETID s g 0; XGROUP CREATECONSUMER s g c
XGROUP CREATECONSUMER s g c; XADD s 6-0 f v; XREADGROUP GROUP g c STREAMS s >; XACK s g 6-0
XREADGROUP GROUP g c STREAMS s 0; XADD s 7-0 f v; XREADGROUP GROUP g c COUNT 1 STREAMS s >
XCLAIM s g claimer 0 7-0; XAUTOCLAIM s g auto 0 0; XGROUP DELCONSUMER s g c; XGROUP DESTROY s g
XGROUP DESTROY s g; XLEN nokey; XRANGE nokey - +; XREAD STREAMS nokey 0
"""
EXPIRED = """
SET k 1 PX 20; HSET h f v; PEXPIRE h 20; DEBUG SLEEP 0.05; GET k; HGET h f; SET k 1 PX 20; DEBUG SLEEP 0.05
SET k 2; TTL k
"""

SEQUENCES = {
    "strings": STRINGS,
    "generic": GENERIC,
    "lists": LISTS,
    "sets": SETS,
    "hashes": HASHES,
    "sorted sets": SORTED,
    "streams": STREAMS,
    "expired": EXPIRED,
}


def steps_of(text: str) -> list[Step]:
    """Read a sequence, lines and all."""
    return [step for line in text.strip().splitlines() for step in parse_steps(line)]
