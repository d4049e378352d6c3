"""Scripts in Lua 5.1: EVAL and its relatives, SCRIPT.

Theory of operation: PUC Lua 5.1 itself runs the scripts, through `lupa`, so that what a script computes and what it is
told when it fails are what Redis's scripts get. The interpreter is made, and lupa loaded, when the first script comes.

In reading order: `scripts` (the cache of scripts, and what EVAL does), `script` (one script, with what its first line
says), `runtime` (the interpreter), `lua/sandbox.lua` (what scripts see of Lua; everything they may call is made there
or in `api`), `api` (the table `redis`), `calls` (redis.call: back into the engine), `to_lua` and `to_reply` (values
across the border), `slices` (scripts that take long), `commands`.

No object of Python's gets into the hands of a script: functions of ours reach Lua as C functions, whose insides only
Lua's debug library could see, which scripts do not have; errors that cross from Python are turned into tables before a
script can catch them; and attributes of anything that slipped through cannot be read (`runtime`).

A script that takes longer than `busy-reply-threshold` goes on in slices, between which the server answers others that
it is busy; see `slices`, which also tells why greenlets are sound here.

Whatever a script does to keys goes through `Engine.call`, in the name of a client of its own. What is journalled is
what the commands did, as one unit, never the script.
"""
