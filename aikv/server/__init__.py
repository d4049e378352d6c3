"""The server: sockets around the engine.

In reading order: `connection` (one client), `tick` (the end of one turn of the loop: AOF first, then replies), `cron`
(what happens without a client), `listener` (sockets), `loop` (uvloop or asyncio), `supervision` (systemd).
"""
