"""A save replaces the file whole or not at all, in the foreground and in a child."""

import errno
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from aikv.datatypes.hashes import Hash
from aikv.persistence.aof_fsync import ThreadRunner
from aikv.persistence.background import BackgroundChild, ChildJob, ChildOutcome, read_apart
from aikv.persistence.files import Files
from aikv.persistence.rdb_read import load_rdb
from aikv.persistence.snapshot import (
    BackgroundSave,
    SaveJob,
    SaveOptions,
    SaveOutcome,
    describing_fields,
    save_rdb,
    temporary_name,
)
from persistence.aof_harness import WaitingRunner
from persistence.rdb_data import Collector, Content, FailingFiles, FilesFailed, databases

OLD: Content = {0: {b"old": (b"data", -1)}}
NEW: Content = {0: {b"new%d" % n: (b"value %d" % n, 10**13 if n % 2 else -1) for n in range(500)}, 9: {b"x": (1, -1)}}
# A child is waited for in small steps, and for no longer than this.
PATIENCE_SECONDS = 20.0


def loaded(path: Path) -> Content:
    collector = Collector()
    load_rdb(Files(), str(path), collector)
    return collector.content


def in_background(files: Files | None = None) -> BackgroundSave:
    """A background save whose files are named by the thread of a server."""
    return BackgroundSave(ThreadRunner(files if files is not None else Files()))


def wait_for(save: BackgroundSave) -> SaveOutcome:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        outcome = save.poll()
        if outcome is not None:
            return outcome
        time.sleep(0.005)
    raise AssertionError("the child did not end")


def wait_for_child(child: BackgroundChild) -> ChildOutcome:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        outcome = child.poll()
        if outcome is not None:
            return outcome
        time.sleep(0.005)
    raise AssertionError("the child did not end")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "dump.rdb"
    save_rdb(Files(), str(target), databases(OLD), SaveOptions())
    return target


def test_a_save_replaces_the_file_in_the_order_that_is_safe(path: Path) -> None:
    files = FailingFiles(-1, 0, short_writes=True)
    result = save_rdb(files, str(path), databases(NEW), SaveOptions())
    assert loaded(path) == NEW
    assert (result.keys, result.size) == (501, path.stat().st_size)
    assert [call for call in files.calls if call != "write"] == ["open", "fsync", "close", "rename", "fsync_dir"]
    assert os.listdir(path.parent) == ["dump.rdb"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_whatever_call_fails_the_old_file_stands_and_no_other_one_does(path: Path, number: int) -> None:
    old = path.read_bytes()
    probe = FailingFiles(-1, 0, short_writes=True)
    save_rdb(probe, str(path), databases(NEW), SaveOptions())
    fds = len(os.listdir("/proc/self/fd"))
    for fail_at, name in enumerate(probe.calls):
        path.write_bytes(old)
        with pytest.raises(FilesFailed) as caught:
            save_rdb(FailingFiles(fail_at, number, short_writes=True), str(path), databases(NEW), SaveOptions())
        assert caught.value.errno == number
        assert os.listdir(path.parent) == ["dump.rdb"]
        assert len(os.listdir("/proc/self/fd")) == fds
        # Once the new name stands, only its survival of a power cut is in doubt.
        assert loaded(path) == (NEW if name == "fsync_dir" else OLD)


def test_a_child_that_may_not_write_so_much_leaves_the_old_file(path: Path) -> None:
    class Limited(SaveJob):
        def prepare(self) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    save = in_background()
    save.start(Limited(Files(), str(path), databases(NEW), SaveOptions()))
    outcome = wait_for(save)
    assert outcome.result is None
    assert "File too large" in outcome.reason
    assert loaded(path) == OLD
    assert os.listdir(path.parent) == ["dump.rdb"]


def test_a_value_that_cannot_be_written_leaves_the_old_file(path: Path) -> None:
    with pytest.raises(TypeError):
        save_rdb(Files(), str(path), databases({0: {b"k": (object(), -1)}}), SaveOptions())
    assert loaded(path) == OLD
    assert os.listdir(path.parent) == ["dump.rdb"]


def test_a_temporary_file_that_cannot_be_removed_is_named(path: Path) -> None:
    class Stubborn(FailingFiles):
        def unlink(self, path: str) -> None:
            raise OSError(errno.EROFS, "read-only", path)

    with pytest.raises(FilesFailed) as caught:
        save_rdb(Stubborn(1, errno.EIO), str(path), databases(NEW), SaveOptions())
    assert any("could not be removed" in note for note in caught.value.__notes__)


def test_the_file_says_who_wrote_it(path: Path) -> None:
    fields = describing_fields("7.2.0", "0.1", 1_700_000_000, 12345, aof_base=False)
    save_rdb(Files(), str(path), databases(NEW), SaveOptions(aux=fields, functions=[b"#!lua name=l\n"]))
    collector = Collector()
    load_rdb(Files(), str(path), collector)
    assert collector.fields == dict(fields)
    assert collector.fields[b"redis-ver"] == b"7.2.0"
    assert collector.functions == [b"#!lua name=l\n"]


def test_checksum_and_packing_can_be_switched_off(path: Path) -> None:
    content: Content = {0: {b"k": (b"a" * 1000, -1)}}
    save_rdb(Files(), str(path), databases(content), SaveOptions(packing=False, checksum=False))
    assert path.read_bytes().endswith(b"a" * 1000 + b"\xff" + bytes(8))
    assert loaded(path) == content


def test_a_missing_file_and_a_folder_are_errors_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_rdb(Files(), str(tmp_path / "none.rdb"), Collector())
    with pytest.raises(IsADirectoryError):
        load_rdb(Files(), str(tmp_path), Collector())


def test_a_background_save_writes_the_dataset_as_it_was_at_the_fork(path: Path) -> None:
    content: Content = {0: dict(NEW[0])}
    save = in_background()
    assert save.poll() is None
    save.start(SaveJob(Files(), str(path), databases(content), SaveOptions()))
    assert save.running()
    assert save.pid != 0
    content[0].clear()
    outcome = wait_for(save)
    assert outcome.reason == ""
    assert outcome.result is not None
    assert (outcome.result.keys, outcome.result.size) == (500, path.stat().st_size)
    assert loaded(path) == {0: NEW[0]}
    assert not save.running()
    assert save.pid == 0
    assert save.poll() is None


def test_a_failed_background_save_tells_the_reason_and_can_be_repeated(path: Path) -> None:
    save = in_background()
    save.start(SaveJob(FailingFiles(1, errno.ENOSPC), str(path), databases(NEW), SaveOptions()))
    outcome = wait_for(save)
    assert outcome.result is None
    assert "write failed" in outcome.reason
    assert loaded(path) == OLD
    save.start(SaveJob(Files(), str(path), databases(NEW), SaveOptions()))
    assert wait_for(save).result is not None
    assert loaded(path) == NEW


def finished_child(path: Path, runner: WaitingRunner) -> BackgroundSave:
    """A save whose child has ended well and whose file waits for `runner` to name it."""
    save = BackgroundSave(runner)
    save.start(SaveJob(Files(), str(path), databases(NEW), SaveOptions()))
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not runner.jobs and time.monotonic() < give_up:
        assert save.poll() is None
        time.sleep(0.005)
    return save


def test_the_file_is_named_beside_the_event_loop(path: Path) -> None:
    runner = WaitingRunner(Files())
    save = finished_child(path, runner)
    assert save.poll() is None
    assert save.running()
    assert loaded(path) == OLD
    runner.run()
    assert loaded(path) == NEW
    outcome = save.poll()
    assert outcome is not None
    assert outcome.result is not None
    assert (outcome.result.keys, outcome.result.size) == (501, path.stat().st_size)
    assert not save.running()
    assert save.poll() is None


def test_to_kill_a_save_whose_file_is_being_named_is_to_wait_for_it(path: Path) -> None:
    save = finished_child(path, WaitingRunner(Files()))
    outcome = save.kill()
    assert outcome is not None
    assert outcome.result is not None
    assert loaded(path) == NEW
    assert not save.running()
    assert save.kill() is None


@pytest.mark.parametrize(("call", "content"), [("rename", OLD), ("fsync_dir", NEW)])
def test_a_file_that_cannot_be_named_is_a_failed_save(path: Path, call: str, content: Content) -> None:
    save = in_background(FailingFiles(["rename", "fsync_dir"].index(call), errno.EIO))
    save.start(SaveJob(Files(), str(path), databases(NEW), SaveOptions()))
    outcome = wait_for(save)
    assert outcome.result is None
    assert f"{call} failed" in outcome.reason
    assert os.listdir(path.parent) == ["dump.rdb"]
    assert loaded(path) == content
    assert not save.running()


class HangingFiles(Files):
    """Files whose fsync never ends."""

    def fsync(self, fd: int) -> None:  # noqa: ARG002
        while True:
            time.sleep(1)


def test_a_killed_background_save_leaves_the_old_file_and_nothing_else(path: Path) -> None:
    save = in_background()
    save.start(SaveJob(HangingFiles(), str(path), databases(NEW), SaveOptions()))
    temporary = Path(temporary_name(str(path), save.pid))
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not temporary.exists() and time.monotonic() < give_up:
        time.sleep(0.005)
    assert temporary.exists()
    assert save.poll() is None
    outcome = save.kill()
    assert outcome is not None
    assert outcome.reason == "terminated by signal 9"
    assert os.listdir(path.parent) == ["dump.rdb"]
    assert loaded(path) == OLD
    assert save.kill() is None


class LoggingJob(SaveJob):
    """A job whose child writes what it is told to log into a file, with its process id."""

    def prepare(self) -> None:
        self.log("prepared")

    def log(self, message: str) -> None:
        with open(self.path + ".log", "a") as log:
            log.write(f"{os.getpid()} {message}\n")


VALUES: list[object] = [b"", b"text", b"x" * 70_000, 0, -1, 255, 2**31, -(2**31), 2**63 - 1, -(2**63), 10**15]


def test_a_bucket_of_strings_is_read_apart_from_its_keys_and_values() -> None:
    bucket: dict[bytes, object] = {b"key:%d" % number: value for number, value in enumerate(VALUES)}
    shared = b"the same object twice, and as a key"
    bucket |= {b"one": shared, b"two": shared, shared: 1, b"": b"empty"}
    copied = read_apart(bucket)
    assert copied == bucket
    assert list(copied) == list(bucket)
    assert [type(value) for value in copied.values()] == [type(value) for value in bucket.values()]
    assert copied[b"key:2"] is not bucket[b"key:2"]


def test_a_changed_string_is_read_apart_as_bytes() -> None:
    assert read_apart({b"key": bytearray(b"abc")}) == {b"key": b"abc"}


def test_a_bucket_with_another_value_is_read_as_it_is() -> None:
    bucket: dict[bytes, object] = {b"string": b"x", b"hash": Hash()}
    assert read_apart(bucket) is bucket


class Reading(ChildJob):
    """Reads buckets, and reports how many bytes of pages became the child's own by that."""

    def __init__(self, buckets: list[dict[bytes, object]], apart: bool) -> None:
        self.buckets = buckets
        self.apart = apart

    def run(self) -> str:
        before = own_bytes()
        length = 0
        for bucket in self.buckets:
            for key, value in (read_apart(bucket) if self.apart else bucket).items():
                length += len(key) + len(bytes(value) if isinstance(value, bytes) else b"")
        return f"{own_bytes() - before} {length}"


def own_bytes() -> int:
    """Memory of this process that it shares with no other."""
    return int(Path("/proc/self/smaps_rollup").read_text().partition("Private_Dirty:")[2].split()[0]) * 1024


def test_what_a_child_reads_apart_is_not_copied() -> None:
    buckets: list[dict[bytes, object]] = [
        {b"key:%d:%d" % (number, place): b"%0100d" % place for place in range(250)} for number in range(400)
    ]
    own: dict[bool, int] = {}
    for apart in (False, True):
        child = BackgroundChild()
        child.start(Reading(buckets, apart))
        outcome = wait_for_child(child)
        assert outcome.ok, outcome.report
        own[apart] = int(outcome.report.split()[0])
    assert own[True] < own[False] / 4


@pytest.mark.parametrize(
    ("files", "said"),
    [(Files(), "DB saved on disk"), (FailingFiles(1, 28), "Write error saving DB on disk: [Errno 28] write failed")],
)
def test_the_child_prepares_itself_and_logs_under_its_own_process_id(path: Path, files: Files, said: str) -> None:
    save = in_background()
    save.start(LoggingJob(files, str(path), databases(NEW), SaveOptions()))
    pid = save.pid
    wait_for(save)
    assert Path(f"{path}.log").read_text().splitlines() == [f"{pid} prepared", f"{pid} {said}"]


class SignalJob(ChildJob):
    """Reports how the child treats signals."""

    def run(self) -> str:
        names = [name for name in ("SIGTERM", "SIGUSR1") if signal.getsignal(signal.Signals[name]) != signal.SIG_DFL]
        ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        return f"{names} {ignored} {len(blocked)}"


def test_the_child_has_no_signal_handlers_of_its_parent() -> None:
    before = signal.signal(signal.SIGUSR1, lambda number, frame: None)  # noqa: ARG005
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        child = BackgroundChild()
        child.start(SignalJob())
        outcome = wait_for_child(child)
        assert (outcome.ok, outcome.report) == (True, "[] True 0")
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask
    finally:
        signal.signal(signal.SIGUSR1, before)


class NicenessJob(ChildJob):
    """Reports the child's niceness."""

    def run(self) -> str:
        return str(os.getpriority(os.PRIO_PROCESS, 0))


def test_the_child_leaves_the_cores_to_its_parent() -> None:
    child = BackgroundChild()
    child.start(NicenessJob())
    outcome = wait_for_child(child)
    assert outcome.ok, outcome.report
    # 19 is as nice as can be.
    assert int(outcome.report) == min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)


class BrokenJob(ChildJob):
    """Ends in a way that no child should."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def run(self) -> str:
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("no luck"), "no luck"), (SystemExit(0), "0"), (KeyboardInterrupt(), "KeyboardInterrupt")],
)
def test_no_exception_lets_the_child_return_into_the_parents_program(error: BaseException, reason: str) -> None:
    child = BackgroundChild()
    child.start(BrokenJob(error))
    outcome = wait_for_child(child)
    assert (outcome.ok, outcome.report) == (False, reason)


def test_a_second_child_at_a_time_is_a_fault_of_the_program(path: Path) -> None:
    save = in_background()
    job = SaveJob(HangingFiles(), str(path), databases(NEW), SaveOptions())
    save.start(job)
    try:
        with pytest.raises(RuntimeError, match="running already"):
            save.start(job)
    finally:
        save.kill()
