"""The server: sockets around the engine.

In reading order: `connection` (one client), `tick` (the end of one turn of the loop: AOF first, then replies), `cron`
(what happens without a client), `collector` (the server's own garbage), `output_limits` (clients that do not read),
`listener` (sockets), `open_files` (how many clients the system allows), `loop` (uvloop or asyncio), `supervision`
(systemd), `transfers` (threads for MIGRATE).

Tried and given up:

- Sockets read and written by a poller of our own below asyncio, edge-triggered. It takes 5 % off the processor's time
  of a command that comes alone and nothing off one in a pipeline, for 400 lines in place of uvloop.
- Under `appendfsync always` an fsync in a thread while the next commands are read: turns become half as long, so there
  are twice as many fsyncs, for a quarter more of the processor's time.
- There, too, one more look for input before the fsync: 27 commands share one instead of 25, since the other half of the
  clients has not got its replies yet.
"""
