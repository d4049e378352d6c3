"""The log: Redis's lines, no forged ones, and nothing configured behind an embedding program's back."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aikv.base import log

LINE = re.compile(r"(\d+):([MSCX]) \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3} ([.*#-]) (.*)")


@pytest.fixture(autouse=True)
def logger() -> Iterator[logging.Logger]:
    """Give back the logger as it was."""
    logger = logging.getLogger("aikv")
    before = (logger.level, logger.propagate, list(logger.handlers))
    logger.handlers = []
    yield logger
    for handler in logger.handlers:
        handler.close()
    logger.level, logger.propagate, logger.handlers = before
    logger.setLevel(before[0])
    log.set_role("M")


def start(path: Path | str, level: str = "debug", syslog: bool = False) -> None:
    log.configure(level, str(path), syslog, "aikv", "local0")


def test_lines_have_the_format_of_redis(tmp_path: Path) -> None:
    start(tmp_path / "log")
    log.debug("d")
    log.verbose("v")
    log.notice("n %d of %s", 1, "two")
    log.warning("100% literal")
    found = [LINE.fullmatch(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(line[1], line[2], line[3], line[4]) for line in found if line] == [
        (str(os.getpid()), "M", ".", "d"),
        (str(os.getpid()), "M", "-", "v"),
        (str(os.getpid()), "M", "*", "n 1 of two"),
        (str(os.getpid()), "M", "#", "100% literal"),
    ]


def write_each_level() -> None:
    for write in (log.debug, log.verbose, log.notice, log.warning):
        write("x")


@pytest.mark.parametrize(
    ("level", "marks"), [("debug", ".-*#"), ("verbose", "-*#"), ("notice", "*#"), ("warning", "#"), ("nothing", "")]
)
def test_lines_below_the_level_are_left_out(tmp_path: Path, level: str, marks: str) -> None:
    start(tmp_path / "from the start", level)
    write_each_level()
    start(tmp_path / "later")
    log.set_level(level)
    write_each_level()
    for name in ("from the start", "later"):
        lines = (tmp_path / name).read_text().splitlines()
        assert "".join(line.split()[5] for line in lines) == marks


@given(message=st.text(st.characters(codec="utf-8")))
def test_a_message_is_always_one_line(message: str) -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": (message,), "levelno": logging.INFO})
    text = log.LineFormatter().format(record)
    assert len(text.splitlines()) == 1
    assert not any(ord(character) < 32 or ord(character) == 127 for character in text)


def test_control_characters_are_shown_as_escapes(tmp_path: Path) -> None:
    start(tmp_path / "log")
    log.warning("a\r\n1:M forged \x1b[2J\u2028\x85")
    assert (tmp_path / "log").read_text().rstrip("\n").endswith(r"# a\r\n1:M forged \x1b[2J\u2028\x85")


@pytest.mark.parametrize("role", ["M", "S", "C", "X"])
def test_the_role_stands_behind_the_process_id(tmp_path: Path, role: str) -> None:
    start(tmp_path / "log")
    log.set_role(role)
    log.notice("x")
    assert (tmp_path / "log").read_text().startswith(f"{os.getpid()}:{role} ")


def test_no_file_means_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    start("")
    log.notice("here")
    assert LINE.fullmatch(capsys.readouterr().out.rstrip("\n"))


def test_an_existing_file_is_continued_and_a_moved_one_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    start(path)
    log.notice("one")
    path.rename(tmp_path / "log.1")
    log.notice("two")
    assert (tmp_path / "log.1").read_text().startswith("before\n")
    assert path.read_text().endswith("* two\n")


@pytest.mark.parametrize(
    ("level", "logfile", "facility", "error"),
    [
        ("loud", "", "user", ValueError),
        ("debug", "missing/folder/log", "user", FileNotFoundError),
        ("debug", "other", "kitchen", ValueError),
    ],
)
def test_a_wrong_setting_leaves_the_log_as_it_was(
    tmp_path: Path, level: str, logfile: str, facility: str, error: type[Exception]
) -> None:
    start(tmp_path / "log", "notice")
    with pytest.raises(error):
        log.configure(level, str(tmp_path / logfile) if logfile else "", True, "aikv", facility)
    log.debug("unseen")
    log.notice("seen")
    assert (tmp_path / "log").read_text().endswith("* seen\n")
    assert "unseen" not in (tmp_path / "log").read_text()


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        log.set_level("loud")
    with pytest.raises(ValueError, match="role"):
        log.set_role("Q")


def test_a_line_that_cannot_be_written_stops_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("the system has no /dev/full")
    handler = log.FileHandler("/dev/full")
    handler.emit(logging.makeLogRecord({"msg": "x", "levelno": logging.INFO}))
    assert capfd.readouterr().err == ""
    # The line is still in the file's buffer.
    with pytest.raises(OSError, match="No space"):
        handler.close()


def test_syslog_gets_the_identity_and_one_line_without_a_date() -> None:
    record = logging.makeLogRecord({"msg": "a\nb", "levelno": logging.INFO, "process": 7})
    assert log.SyslogFormatter("redis").format(record) == r"redis[7]: a\nb"


def test_syslog_priorities_are_those_of_redis(logger: logging.Logger) -> None:
    start("", syslog=True)
    handler = logger.handlers[1]
    assert isinstance(handler, log.SyslogHandler)
    names = [logging.getLevelName(level) for level in (logging.DEBUG, log.VERBOSE, logging.INFO, logging.WARNING)]
    assert [handler.mapPriority(name) for name in names] == ["debug", "info", "notice", "warning"]


def test_an_exception_is_part_of_its_line(tmp_path: Path, logger: logging.Logger) -> None:
    start(tmp_path / "log")
    try:
        raise RuntimeError("why")
    except RuntimeError:
        logger.exception("what")
    text = (tmp_path / "log").read_text()
    assert len(text.splitlines()) == 1
    assert "# what\\nTraceback" in text
    assert text.endswith("RuntimeError: why\n")


def test_importing_configures_nothing() -> None:
    program = (
        "import logging, aikv.base.log; logger = logging.getLogger('aikv');"
        "print(logger.handlers, logger.level, logger.propagate, logging.getLogger().handlers)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    said = subprocess.run(
        [sys.executable, "-P", "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    assert said.stdout == "[] 0 True []\n"


def test_an_embedding_program_sees_the_records(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(log.VERBOSE, "aikv"):
        log.verbose("%d keys", 3)
        log.debug("unseen")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(15, "3 keys")]
