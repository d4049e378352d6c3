"""`aikv restore`: the dataset of a moment, from an append-only log that notes times.

Theory of operation: the log is found, the base to begin with chosen, and all of it loaded as a server would, up to the
wanted moment; that proves that it loads, and counts. Only then is anything written: a copy of just those bytes, in a
folder beside the target that takes the target's name when it is whole. The source is never changed.
"""

import os
import shutil

import click

from aikv.cli.offline import LoadedLog, OfflineDataset
from aikv.cli.terminal import SETTINGS, fail, moment, moment_text, plural, progress, tool
from aikv.persistence.aof_find import FoundLog, find_log
from aikv.persistence.aof_load import AofLoaded
from aikv.persistence.aof_manifest import Manifest
from aikv.persistence.aof_restore import UnreachableMoment, copy_log, first_time, log_at
from aikv.persistence.aof_store import AofStore
from aikv.persistence.files import Files

_FORMS = ("aof", "rdb", "both")


@click.command(context_settings=SETTINGS)
@click.option(
    "--at",
    "moment_s",
    callback=moment,
    required=True,
    metavar="MOMENT",
    help="The moment to go back to: 2026-11-20T10:00:00 is UTC, 2026-11-20T10:00:00+01:00 names its zone; a unix time "
    "in seconds will do, too. What happened within that second is kept.",
)
@click.option(
    "--from",
    "source",
    required=True,
    type=click.Path(exists=True),
    metavar="DIR",
    help="The server's data folder, a backup, or the log's manifest. It is only read.",
)
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(),
    metavar="DIR",
    help="The folder to make; it must not exist, or be empty.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    default="aof",
    show_default=True,
    help="What to write: an append-only log, a dump.rdb, or both.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be kept.")
@tool
def restore(moment_s: int, source: str, target: str, form: str, dry_run: bool) -> None:
    """Bring back the dataset of a moment.

    Works across the base and all incremental files of the log, and across those that a rewrite replaced as long as
    `aikv-aof-history-seconds` keeps them. The log must have been written with `aof-timestamp-enabled yes`, by aikv or
    by redis-server. A moment without a zone is UTC.

    \b
    Examples:
      aikv restore --at 2026-11-20T10:00:00 --from /var/lib/aikv --to /var/lib/aikv-restored --dry-run
      aikv restore --at 2026-11-20T10:00:00 --from /var/lib/aikv --to /var/lib/aikv-restored
      aikv --dir /var/lib/aikv-restored --appendonly yes

    Keys that have run out since that moment are in the copy, and go when a server has loaded it.
    """
    files = Files()
    if not dry_run:
        _check_target(target)
    log = find_log(files, source)
    if not log.manifest.parts():
        fail(f"There is no append-only log in {source}: name the folder that the server's `dir` is.")
    try:
        manifest = log_at(log, moment_s)
    except UnreachableMoment as error:
        fail(
            f"{moment_text(moment_s)} is out of reach: the earliest moment that can be restored is "
            f"{moment_text(error.earliest_s)}, when the oldest base that is left was made. Raise "
            "aikv-aof-history-seconds to reach further back in future, or restore from an older backup."
        )
    dataset = OfflineDataset(files)
    size = sum(files.size(log.store.path(part.name)) for part in manifest.parts())
    with progress("Loading", size) as show:
        done = dataset.load_log(log, manifest, show, moment_s)
    _check_dated(log, done.loaded, moment_s)
    _report(log, manifest, done, dataset, moment_s)
    if dry_run:
        click.echo("Dry run: nothing was written.")
        return
    _write(files, log, manifest, done, dataset, target, form)


def _check_target(target: str) -> None:
    if not os.path.lexists(target):
        parent = os.path.dirname(os.path.abspath(target))
        if not os.access(parent, os.W_OK | os.X_OK):
            fail(f"{target} cannot be made: {parent} is no folder that can be written to.")
    elif not os.path.isdir(target) or os.listdir(target):
        fail(f"{target} is there already and not an empty folder; nothing is ever overwritten. Name another one.")


def _check_dated(log: FoundLog, loaded: AofLoaded, moment_s: int) -> None:
    """Refuse a log whose commands have no times: whether they are later than the moment cannot be known."""
    if not loaded.commands or loaded.ended or any(file.last_s for file in loaded.files):
        return
    fail(
        f"The log in {log.store.folder} says no times, so what was written until {moment_text(moment_s)} cannot be "
        "told from what came later. Set `aof-timestamp-enabled yes` in the server for the future."
    )


def _report(log: FoundLog, manifest: Manifest, done: LoadedLog, dataset: OfflineDataset, moment_s: int) -> None:
    files = log.store.files
    last_s = 0
    click.echo(f"The dataset of {moment_text(moment_s)}:")
    for file in done.loaded.files:
        whole = files.size(log.store.path(file.name))
        size = f"{file.size} bytes" if file.size == whole else f"{file.size} of {whole} bytes"
        said = f"  {file.name}: {size}, {plural(file.commands, 'command')}"
        if file.last_s:
            last_s = file.last_s
            said += f", up to {moment_text(file.last_s)}"
        elif manifest.base is not None and file.name == manifest.base.name:
            said += f", made at {moment_text(first_time(files, log.store.path(file.name)))}"
        click.echo(said)
    for part in manifest.parts()[len(done.loaded.files) :]:
        click.echo(f"  {part.name}: left out")
    if done.cut_file:
        click.echo(f"  The end of {os.path.basename(done.cut_file)} is cut off; its last whole command counts.")
    keys = dataset.keys()
    counted = ", ".join(f"db{index} {count}" for index, count in keys.items())
    commands = done.loaded.commands
    click.echo(
        f"Kept: {plural(len(done.loaded.files), 'file')}, {plural(commands, 'command')}, "
        f"{plural(sum(keys.values()), 'key')}{f' ({counted})' if counted else ''}"
    )
    if last_s:
        click.echo(f"Last timestamp: {moment_text(last_s)}")
    elif commands:
        click.echo("Last timestamp: none. What stands before the first one is kept, as redis-check-aof would.")
    else:
        click.echo("Last timestamp: none, this is the base alone.")


def _write(
    files: Files, log: FoundLog, manifest: Manifest, done: LoadedLog, dataset: OfflineDataset, target: str, form: str
) -> None:
    folder = "appendonlydir" if log.single else os.path.basename(os.path.abspath(log.store.folder))
    partial = f"{os.path.abspath(target)}.partial-{os.getpid()}"
    os.makedirs(partial)
    try:
        if form != "rdb":
            store = AofStore(files, os.path.join(partial, folder), log.store.filename)
            store.make_folder()
            copy_log(log.store, done.loaded, manifest.base, store)
        if form != "aof":
            dataset.save(os.path.join(partial, "dump.rdb"))
        files.rename(partial, os.path.abspath(target))
        files.fsync_dir(os.path.dirname(os.path.abspath(target)))
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    words = ["aikv", "--dir", target]
    if form != "rdb":
        words += ["--appendonly", "yes"]
        if folder != "appendonlydir":
            words += ["--appenddirname", folder]
        if log.store.filename != "appendonly.aof":
            words += ["--appendfilename", log.store.filename]
    click.echo(f"Written to {target}. Serve it with: {' '.join(words)}")
