"""What rules make of a user, and how it is shown: Redis 7.2's normal form, which the oracle does not have yet."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import served  # noqa: F401  declares the commands
from aikv.engine.acl.describe import commands_of, user_line
from aikv.engine.acl.parse import RuleError, Unmatched, apply_rule, merged
from aikv.engine.acl.users import User, channels_left
from aikv.engine.command import CATEGORIES, COMMANDS, EVERY

WORDS = st.one_of(
    st.sampled_from(["+@all", "-@all", "on", "off", "nopass", "resetpass", "reset", "clearselectors", "allkeys"]),
    st.sampled_from(
        ["~a*", "%R~b", "%W~b", "&c", "allchannels", "resetkeys", "resetchannels", "skip-sanitize-payload"]
    ),
    st.sampled_from(
        ["+select|0", "+debug|x", "+config|get", "-config|set", ">p", "<p", "(~x +get)", "(%R~y &z -@all)"]
    ),
    st.sampled_from([name.decode() for name in COMMANDS]).flatmap(
        lambda name: st.sampled_from([f"+{name}", f"-{name}"])
    ),
    st.sampled_from(CATEGORIES).flatmap(lambda name: st.sampled_from([f"+@{name}", f"-@{name}"])),
)


def made(*rules: str, user: User | None = None) -> User:
    """Return a user that rules were applied to."""
    user = user or User(b"u", False)
    for rule in rules:
        apply_rule(user, rule.encode(), False)
    return user


def shown(*rules: str) -> str:
    """Return the rules on commands as they are shown."""
    return commands_of(made(*rules).root).decode()


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ("", "-@all"),
        ("+@all", "+@all"),
        ("+get +set -get", "-@all +set -get"),
        ("+GET +Config|Get", "-@all +get +config|get"),
        ("-@all -get", "-@all -get"),
        ("+@all -@dangerous +keys -@dangerous", "+@all +keys -@dangerous"),
        ("+@READ -get +@read", "-@all -get +@read"),
        ("+config|get -config|set +config", "-@all +config"),
        ("+config -config|set", "-@all +config -config|set"),
        ("+config|get -config", "-@all -config"),
        ("+select|0 +select|1 +select|0", "-@all +select|1 +select|0"),
        ("+select|0 -select", "-@all -select"),
        ("+select|0 +@all", "+@all"),
        ("+get +getex -get", "-@all +getex -get"),
        ("+@all -@all +get", "-@all +get"),
    ],
)
def test_rules_on_commands_are_shown_in_their_order(rules: str, text: str) -> None:
    assert shown(*rules.split()) == text


def test_a_whole_user_is_shown_as_a_line() -> None:
    user = made(
        "on", ">p", "skip-sanitize-payload", "%W~w", "~a", "%R~w", "%R~r", "&c", "+get", "( ~x allchannels )", "()"
    )
    digest = hashlib.sha256(b"p").hexdigest()
    assert user_line(user).decode() == (
        f"user u on skip-sanitize-payload #{digest} ~w ~a %R~r resetchannels &c -@all +get (~x &* -@all) "
        "(resetchannels -@all)"
    )


@given(st.lists(WORDS, max_size=15))
def test_a_line_makes_the_same_user_again(rules: list[str]) -> None:
    user = User(b"u", False)
    for rule in rules:
        try:
            apply_rule(user, rule.encode(), False)
        except RuleError as error:
            assert rule[0] in "~%&<"
            assert error.reason  # noqa: PT017 (not every rule fails)
    twin = User(b"u", True)
    for word in merged(user_line(user).split(b" ")[2:]):
        apply_rule(twin, word, True)
    assert user_line(twin) == user_line(user)
    for one, other in zip(twin.selectors, user.selectors, strict=True):
        assert [one.allowed >> entry.number & 1 for entry in EVERY] == [
            other.allowed >> entry.number & 1 for entry in EVERY
        ]
        assert one.first_arguments == other.first_arguments
        assert one.all_keys == other.all_keys


@given(st.lists(WORDS, max_size=8), st.lists(WORDS, max_size=8))
def test_a_copy_stays_as_it_is(first: list[str], then: list[str]) -> None:
    user = User(b"u", False)
    for number, rule in enumerate([*first, *then]):
        if number == len(first):
            copy, line = user.copy(), user_line(user)
        try:
            apply_rule(user, rule.encode(), False)
        except RuleError:
            continue
    if then:
        assert user_line(copy) == line
        assert copy.name == user.name


def test_the_flag_for_everything_is_lost_with_the_first_thing_taken_away() -> None:
    assert made("+@all", "~*", "&*").is_unlimited()
    assert made("(+@all ~* &*)").is_unlimited()
    assert not made("+@all", "~*", "(&*)").is_unlimited()
    assert not made("+@all", "~*", "&*", "-get").is_unlimited()
    # Redis, too, looks at each command of such a user.
    assert not made("+@all", "~*", "&*", "-get", "+get").is_unlimited()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("+select|a b", b"Syntax error"),
        ("+debug|", b"Syntax error"),
        ("+config|get|x", b"Allowing first-arg of a subcommand is not supported"),
        ("%~", b"Syntax error"),
        ("!", b"The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"),
    ],
)
def test_a_rule_that_makes_no_sense_changes_nothing(rule: str, reason: bytes) -> None:
    user = made("+get", "~a")
    line = user_line(user)
    with pytest.raises(RuleError) as error:
        apply_rule(user, rule.encode(), False)
    assert error.value.reason == reason
    assert user_line(user) == line


def test_what_stands_behind_a_zero_byte_is_not_looked_at() -> None:
    user = made("on\0off", "+get\0x", "+@read\0x", "nopass\0")
    assert user_line(user) == b"user u on nopass sanitize-payload resetchannels -@all +get +@read"


def test_passwords_may_hold_any_bytes() -> None:
    user = User(b"u", False)
    for rule in (b"on", b">a\0b", b">\xff", b">"):
        apply_rule(user, rule, False)
    assert [user.accepts(word) for word in (b"a\0b", b"a", b"\xff", b"", b"x")] == [True, False, True, True, False]


def test_who_may_log_in() -> None:
    assert not made("on").accepts(b"")
    assert not made("nopass").accepts(b"x")
    assert made("nopass", "on").accepts(b"x")
    assert not made("nopass", "on", ">p").accepts(b"x")
    assert made("on", ">p", ">q", "<p").accepts(b"q")
    assert not made("on", ">p", ">q", "<p").accepts(b"p")
    assert made("nopass", "on").logs_in_by_itself()
    assert not made("on", ">p").logs_in_by_itself()


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (["a", "(b", "c)", "d"], ["a", "(b c)", "d"]),
        (["(a)", "(b", "(c", "d)"], ["(a)", "(b (c d)"]),
        (["(", ")"], ["( )"]),
        (["()", "", "a)"], ["()", "", "a)"]),
    ],
)
def test_words_of_a_selector_are_put_together(words: list[str], result: list[str]) -> None:
    assert merged([word.encode() for word in words]) == [word.encode() for word in result]


def test_a_selector_that_does_not_end_is_named() -> None:
    with pytest.raises(Unmatched) as error:
        merged([b"a", b"(b", b"c"])
    assert error.value.text() == b"Unmatched parenthesis in acl selector starting at '(b'."


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        ("&a", "&*", None),
        ("&a &b", "&b &a &c", None),
        ("&a", "(&a)", None),
        ("&a", "(allchannels)", None),
        ("&a &b", "&a", ["a"]),
        ("&*", "&a (&b)", ["a", "b"]),
        ("&a*", "&a**", ["a**"]),
        ("", "", None),
    ],
)
def test_channels_that_are_left(old: str, new: str, left: list[str] | None) -> None:
    found = channels_left(made(*new.split()), made(*old.split()))
    assert (None if found is None else [glob.pattern.decode() for glob in found]) == left
