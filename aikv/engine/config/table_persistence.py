"""Directives: snapshots, the append only file, and what happens at shutdown."""

from typing import Final

from aikv.engine.config.directive import (
    DENY_LOADING,
    HIDDEN,
    IMMUTABLE,
    PROTECTED,
    STORED,
    Directive,
    Section,
    choice,
    number,
    yes_no,
)
from aikv.engine.config.kinds import INT_MAX, LONG_MAX, MEMORY, FileName
from aikv.engine.config.specials import Directory, Save, ShutdownOptions

PERSISTENCE: Final = [
    Section(
        "Snapshots (RDB)",
        [
            Directive(
                "save",
                Save(),
                b"3600 1 300 100 60 10000",
                "Save points: after this many seconds, if at least this many keys changed. Any number of lines;"
                ' save "" alone switches snapshots off.',
            ),
            yes_no("stop-writes-on-bgsave-error", True, "Refuse writes while the last snapshot could not be written."),
            yes_no("rdbcompression", True, "Compress long strings with LZF."),
            yes_no("rdbchecksum", True, "End the file with a CRC64, and check it when loading.", IMMUTABLE),
            choice(
                "sanitize-dump-payload",
                ["no", "yes", "clients"],
                "no",
                "Check compact encodings in depth in snapshots and RESTORE. aikv always does.",
                STORED,
            ),
            Directive(
                "dbfilename",
                FileName("dbfilename", "filename", empty=True),
                b"dump.rdb",
                "Name of the snapshot in dir.",
                PROTECTED,
            ),
            yes_no("rdb-del-sync-files", False, "Delete snapshots that served replication only.", STORED),
            Directive(
                "dir",
                Directory(),
                b"",
                "Folder of all data files; it must exist. Relative paths of other directives start here. The"
                " default is the folder that the server is started in.",
                PROTECTED | DENY_LOADING,
            ),
            yes_no(
                "rdb-save-incremental-fsync",
                True,
                "Sync a snapshot to the disk bit by bit while it is written.",
                STORED,
            ),
            number(
                "rdb-key-save-delay",
                0,
                -INT_MAX - 1,
                INT_MAX,
                "Microseconds to wait after each key, for tests.",
                HIDDEN | STORED,
            ),
            number(
                "key-load-delay",
                0,
                -INT_MAX - 1,
                INT_MAX,
                "Microseconds to wait after each key loaded, for tests.",
                HIDDEN | STORED,
            ),
            number(
                "loading-process-events-interval-bytes",
                2 << 20,
                1024,
                INT_MAX,
                "Bytes loaded between two looks at the clients.",
                HIDDEN | STORED,
            ),
        ],
    ),
    Section(
        "Append only file (AOF)",
        [
            yes_no("appendonly", False, "Log every write, and load the log at start.", DENY_LOADING),
            Directive(
                "appendfilename",
                FileName("appendfilename", "filename"),
                b"appendonly.aof",
                "First part of the names of the log's files.",
                IMMUTABLE,
            ),
            Directive(
                "appenddirname",
                FileName("appenddirname", "dirname"),
                b"appendonlydir",
                "Folder of the log's files, in dir.",
                IMMUTABLE,
            ),
            choice(
                "appendfsync",
                ["everysec", "always", "no"],
                "everysec",
                "When the log is forced to the disk: always before a write is answered, every second, or when the"
                " system sees fit.",
            ),
            yes_no("no-appendfsync-on-rewrite", False, "Do not force the log to the disk while it is rewritten."),
            number(
                "auto-aof-rewrite-percentage",
                100,
                0,
                INT_MAX,
                "Rewrite the log when it has grown by this percentage; 0 is never.",
            ),
            number(
                "auto-aof-rewrite-min-size",
                64 << 20,
                0,
                LONG_MAX,
                "Do not rewrite a log smaller than this.",
                unit=MEMORY,
            ),
            yes_no("aof-load-truncated", True, "Load a log whose end was cut off by a crash, up to the cut."),
            yes_no(
                "aof-use-rdb-preamble",
                True,
                "Write the base of a rewritten log in the RDB format.",
            ),
            yes_no(
                "aof-timestamp-enabled",
                False,
                "Note the time in the log, for a restore to a point in time (`aikv restore`).",
            ),
            number(
                "aikv-aof-history-seconds",
                0,
                0,
                INT_MAX,
                "Seconds for which files that a rewrite replaced are kept, for `aikv restore` to reach back to before;"
                " with 0 they are removed at once.",
            ),
            yes_no(
                "aof-rewrite-incremental-fsync",
                True,
                "Sync the log to the disk bit by bit while it is rewritten.",
                STORED,
            ),
            yes_no("aof-disable-auto-gc", False, "Keep log files that are no longer needed for ever."),
        ],
    ),
    Section(
        "Shutdown",
        [
            number("shutdown-timeout", 10, 0, INT_MAX, "Seconds to wait for replicas that lag behind.", STORED),
            Directive(
                "shutdown-on-sigint",
                ShutdownOptions(),
                b"default",
                "Options of SHUTDOWN for SIGINT: default, or some of save, nosave, now, force.",
            ),
            Directive(
                "shutdown-on-sigterm",
                ShutdownOptions(),
                b"default",
                "Options of SHUTDOWN for SIGTERM: default, or some of save, nosave, now, force.",
            ),
        ],
    ),
]
