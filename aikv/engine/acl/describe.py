"""A user as rules: the texts of ACL LIST, ACL GETUSER and ACL files.

Theory of operation: the text is in a normal form that makes the same user again when it is applied to a new one. Flags
come first, then passwords, keys, channels and commands of the root selector, then every other selector in parentheses.
The commands begin with +@all or -@all and go on with the rules that changed them, in their order, as in Redis 7.2.
"""

from aikv.engine.acl.selector import Selector
from aikv.engine.acl.users import User


def user_line(user: User) -> bytes:
    """The user as a line of an ACL file."""
    words = [b"user", user.name, *flags_of(user)]
    words += [b"#" + digest for digest in user.passwords]
    words.append(_selector_rules(user.root))
    words += [b"(" + _selector_rules(selector) + b")" for selector in user.selectors[1:]]
    return b" ".join(words)


def flags_of(user: User) -> list[bytes]:
    """The rules on the user itself, as GETUSER's `flags`."""
    flags = [b"on" if user.enabled else b"off"]
    if user.nopass:
        flags.append(b"nopass")
    flags.append(b"sanitize-payload" if user.sanitize else b"skip-sanitize-payload")
    return flags


def commands_of(selector: Selector) -> bytes:
    """The rules on commands."""
    return b" ".join([b"+@all" if selector.from_all else b"-@all", *selector.rules])


def keys_of(selector: Selector) -> bytes:
    """The rules on keys; empty where there are none."""
    if selector.all_keys:
        return b"~*"
    return b" ".join([pattern.rule() for pattern in selector.keys.values()])


def channels_of(selector: Selector) -> bytes:
    """The rules on channels; empty where there are none."""
    if selector.all_channels:
        return b"&*"
    return b" ".join([b"&" + pattern for pattern in selector.channels])


def _selector_rules(selector: Selector) -> bytes:
    # Without it, what a new selector may use would depend on acl-pubsub-default.
    channels = [] if selector.all_channels else [b"resetchannels"]
    words = [keys_of(selector), *channels, channels_of(selector), commands_of(selector)]
    return b" ".join([word for word in words if word])
