"""The wire: `parser` (bytes to argument lists), `reply` (what a handler returns), `encoder` (replies to bytes),
`output` (bytes that wait to be sent).

`batch` lets hiredis read well-formed pipelines in the interpreted form; compiled, our own parser is the faster one.
Nothing here knows a socket.
"""
