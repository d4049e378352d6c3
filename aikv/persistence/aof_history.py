"""The past of the log: files that a rewrite replaced, and what can still be made of them.

Theory of operation: base N holds what base N-1 and the incr files before it come to, so any base, followed by all incr
files from the first one behind it to the last one there is, is a whole log; they differ in how far back they begin.
The manifest says of every history file when it was replaced and of a base where it goes on (`AofPart`). `generations`
lists these logs. A base is left out where the manifest does not say where it goes on, as where redis-server wrote it.
"""

from aikv.persistence.aof_manifest import BASE, INCR, AofPart, Manifest


def out_of_time(manifest: Manifest, keep_s: int, now_s: int) -> list[AofPart]:
    """The history files that were replaced `keep_s` seconds before unix second `now_s` or earlier, bases first.

    A negative `keep_s` keeps all. A file of which it is not known when it was replaced goes at once.
    """
    if keep_s < 0:
        return []
    due = [part for part in manifest.history if part.retired_s + keep_s <= now_s or part.retired_s == 0]
    return [part for part in due if part.first_incr > 0] + [part for part in due if part.first_incr == 0]


def generations(manifest: Manifest) -> list[Manifest]:
    """The logs that the files of `manifest` can be read as, each as a manifest without history, the present one first.

    What they hold in the end is the same; each begins earlier than the one before it.
    """
    now = Manifest()
    now.base = manifest.base
    now.incr = list(manifest.incr)
    found = [now]
    incr = {part.seq: part for part in manifest.history if part.name.endswith(".incr.aof")}
    incr.update({part.seq: part for part in manifest.incr})
    bases = [part for part in manifest.history if part.first_incr in incr]
    for base in sorted(bases, key=_sequence, reverse=True):
        log = Manifest()
        log.base = AofPart(base.name, base.seq, BASE)
        log.incr = [AofPart(incr[seq].name, seq, INCR) for seq in sorted(incr) if seq >= base.first_incr]
        found.append(log)
    return found


def _sequence(part: AofPart) -> int:
    return part.seq
