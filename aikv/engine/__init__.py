"""The engine: from an argument list to a reply.

In reading order: `command` (the table and its decorator), `keyspec`, `command_table`, `gates`; `client` and `context`
(what a handler is given), `client_life` (how clients come and go); `state` (what commands act on, and the time) and
`engine` (dispatch, `call`); `admission` and `refusal` (what happens instead of a call); `journal` (what changed, as
bytes) and `expired` (what changed without a command); `multi`, `watching`, `blocking`, `waiting`, `pause`; `events`,
`notifications`, `pubsub`, `tracking` (client-side caching); `stats`, and `observer` with `slowlog`, `latency_histogram`
and `monitor`, and `memory` (what is told about the server's work); `dataset`, `loader` and `persistence` (loading,
saving, the AOF), `release` (freeing in slices); `authentication` and `acl/` (who a client is and what it may do);
`config/` (the table of directives); `scripting` (what the engine knows of scripts, which live on a higher floor). This
is the only place from which a handler is called.
"""
