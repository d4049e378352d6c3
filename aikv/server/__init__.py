"""The server: sockets around the engine.

In reading order: `connection` (one client), `tick` (the end of one turn of the loop: AOF first, then replies), `cron`
(what happens without a client), `output_limits` (clients that do not read), `listener` (sockets), `open_files` (how
many clients the system allows), `loop` (uvloop or asyncio), `supervision` (systemd), `transfers` (threads for MIGRATE).
"""
