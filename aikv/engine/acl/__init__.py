"""Access control lists: who may run which commands on which keys and channels.

Reading order: `selector` (one set of permissions), `users` (a user: passwords and selectors), `parse` (rules such as
`+get` applied to a user), `describe` (a user as rules), `check` (the decision about one request), `log` (what was
refused), `file` (the ACL file), `registry` (the users of one engine, and what a change means for its clients),
`enforce` (refusing).

A client whose user may do everything costs nothing: one whose user may not has the LIMITED gate.
Source of rules and replies: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""
