# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a witness promises to a failover: it is on its disk before anybody is told, or it is not promised."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ..values import ledger
from . import ledger_file

#: why a witness does not do what it is asked for, for programs: these words stay, whatever the sentences become
Why = t.Union[ledger.Reason, t.Literal["no-record", "damaged", "busy", "disk", "other-run"]]
#: in a diff, of one that promises nothing
NOTHING = "nothing is promised\n"


class Done(t.NamedTuple):
    """What becomes of a record, and why it stays as it is where that was not wanted."""

    record: ledger.Record
    why: Why = ""
    words: str = ""


Change = t.Callable[[ledger.Record, float], Done]


class Asked(t.NamedTuple):
    """What is asked of a witness, and which run of a playbook asks."""

    system: str
    timeline: int
    candidate: str
    run: str


def promise(path: str, asked: Asked, act: bool, *, seconds: float) -> dict[str, t.Any]:
    """Let this witness grant nothing to an older timeline than the candidate's any more."""

    def change(record: ledger.Record, now: float) -> Done:
        answer = ledger.promise(record, asked.timeline, asked.candidate, now, asked.run, asked.system)
        if answer.record:
            return Done(answer.record)
        return Done(record, answer.reason, _refusal(answer, record))

    return _answer(path, asked, act, seconds, change)


def withdraw(path: str, asked: Asked, act: bool, *, seconds: float, anyway: bool) -> dict[str, t.Any]:
    """Take the promise back, where no other run relies on it, or where the operator says so."""

    def change(record: ledger.Record, _now: float) -> Done:
        after = ledger.withdraw(record, asked.timeline, asked.candidate, asked.run, anyway)
        if after:
            return Done(after)
        relied = _is_kept(record, asked)
        return Done(record, "other-run", "another run has asked for the same promise") if relied else Done(record)

    return _answer(path, asked, act, seconds, change)


def _answer(path: str, asked: Asked, act: bool, seconds: float, change: Change) -> dict[str, t.Any]:
    """Do it, and return what a failover is told. A witness that cannot do it is an answer as well, and no failure."""
    try:
        if not act or ledger_file.read(path) is None:  # where there is no record, no lock is left either
            return _changed(path, asked, change, act=False)
        with ledger_file.locked(path, seconds):
            return _changed(path, asked, change, act=True)
    except BlockingIOError as error:
        return _refused("busy", f"{error.strerror} ({error.filename})")
    except OSError as error:
        return _refused("disk", f"its disk refuses ({_words(error)})")


def _changed(path: str, asked: Asked, change: Change, *, act: bool) -> dict[str, t.Any]:
    text, now = ledger_file.read(path), time.time()
    if text is None:
        return _refused("no-record", f"it has no record ({path})")
    record, damage = ledger.parse(text)
    if record is None:
        return _refused("damaged", f"its record is damaged and not believed ({path}: {damage})")
    told = {"record": json.loads(ledger.render(record)), "age_seconds": now - record.wish.at if record.wish else None}
    if record.system != asked.system:
        return {**_refused("other-system", f"its record is of another system ({record.system})"), **told}
    done = change(record, now)
    if act and not done.why:
        try:
            # also when it is there already: whoever wrote it may have been killed before it was safe
            ledger_file.keep(path, ledger.render(done.record))
        except OSError as error:
            return {**_refused("disk", f"its disk refuses ({_words(error)})"), **told, "perhaps": _perhaps(path, asked)}
    before, after = _shown(record.promised), _shown(done.record.promised)
    return {
        **_refused(done.why, done.words),
        **told,
        "changed": before != after,
        "kept": _is_kept(done.record, asked),
        "diff": {"before": before, "after": after},
    }


def _refusal(answer: ledger.Answer, record: ledger.Record) -> str:
    """Return why a witness does not promise, as people read it."""
    if answer.reason == "too-long":
        return "its record would become too long"
    if record.promised and record.promised.timeline >= answer.timeline:
        return f"it has promised timeline {answer.timeline} to {answer.master}"
    return f"it knows {answer.master} as the master on timeline {answer.timeline}"


def _is_kept(record: ledger.Record, asked: Asked) -> bool:
    had = record.promised
    return had is not None and (had.timeline, had.candidate) == (asked.timeline, asked.candidate)


def _perhaps(path: str, asked: Asked) -> bool:
    """Whether the promise is in its place although the disk has refused, so that it may be there after a power cut."""
    try:
        record, _damage = ledger.parse(ledger_file.read(path) or "")
    except OSError:
        return True
    return record is not None and _is_kept(record, asked)


def _refused(why: Why, words: str) -> dict[str, t.Any]:
    return {
        "changed": False,
        "kept": False,
        "perhaps": False,
        "why": why,
        "words": words,
        "record": None,
        "age_seconds": None,
        "diff": {"before": NOTHING, "after": NOTHING},
    }


def _words(error: OSError) -> str:
    return f"{error.strerror}: {os.fsdecode(error.filename)}" if error.filename else str(error.strerror or error)


def _shown(promised: ledger.Promise | None) -> str:
    if promised is None:
        return NOTHING
    by = f"run {promised.run}" if promised.run else "several runs"
    return f"timeline {promised.timeline} is promised to {promised.candidate}, asked by {by}\n"
