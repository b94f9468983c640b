# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a witness has on its disk: the newest wish that it has granted, and the newest run that it has promised. Pure.

A master that wants to go on alone asks for it with a wish. A failover asks for a promise first. Each of the two needs
a majority of the witnesses, and a witness that has promised grants nothing to an older run: so one of the two knows of
the other. The record belongs to the witness's user, who may be anybody's by now: it is read as any input is.

This file is installed on hosts beside the programs that keep the record: it imports nothing but the library.
"""

from __future__ import annotations

import json
import math
import re
import typing as t

ALONE, SYNCHRONOUS = "alone", "synchronous"
#: bytes that a record has at most
LONGEST = 4096
#: characters that the name of a host has at most, with the number of the record behind it
NAME_LENGTH = 253
#: names that a wish has at most in each of its lists
MOST_NAMES = 64
#: seconds since the epoch at the end of the year 9999, which is as far as a date goes
LAST_MOMENT = 253402300800
#: wishes and timelines end where the engine's numbers do
LAST_NUMBER, LAST_TIMELINE = (1 << 63) - 1, (1 << 32) - 1

#: why a witness does not grant or promise, for programs
Reason = t.Literal["", "promised", "newer-run", "other-master", "older-wish", "other-wish", "other-system", "too-long"]


class Wish(t.NamedTuple):
    """What a master has asked its witnesses to keep. Numbers rise for ever within a system.

    ``synchronous`` says: whatever this run and those before it have acknowledged, and will acknowledge until a majority
    has granted a newer wish, is on the disks of at least ``count`` of ``standbys``. ``alone`` says nothing of it.
    """

    number: int
    kind: str
    timeline: int
    lsn: str
    master: str
    at: float
    count: int  # type: ignore[assignment]
    standbys: tuple[str, ...]
    witnesses: tuple[str, ...]


class Promise(t.NamedTuple):
    """No run with an older timeline gets anything any more, nor one of this timeline on another host."""

    timeline: int
    candidate: str
    at: float
    #: the run of the playbook that has asked for it; None when several have
    run: str | None


class Record(t.NamedTuple):
    """What a witness has on its disk."""

    #: the system identifier, without which no record is begun
    system: str
    #: the name under which it is in a wish's list: a record that was begun anew has another one
    name: str
    promised: Promise | None = None
    wish: Wish | None = None


class Answer(t.NamedTuple):
    """What a witness answers to a wish or for a promise."""

    #: what is to be on its disk before it answers yes; None when it refuses
    record: Record | None
    reason: Reason = ""
    #: what a refusal is about: the timeline and the number that stand against it
    timeline: int = 0
    number: int = 0
    #: whose timeline that is
    master: str = ""

    @property
    def granted(self) -> bool:
        """Whether it says yes, once the record is on its disk."""
        return self.record is not None


def majority(names: t.Collection[str]) -> int:
    """Return how many of these are a majority; of none, none."""
    return len(set(names)) // 2 + 1 if names else 0


def start(system: str, name: str) -> Record:
    """Return the record of a new witness, which has granted and promised nothing."""
    return Record(system, name)


def grant(record: Record, wish: Wish, system: str) -> Answer:
    """Return what a witness answers to a wish. The same wish is granted as often as it is asked for."""
    promised, kept = record.promised, record.wish
    if system != record.system:
        return Answer(None, "other-system")
    if promised and promised.timeline > wish.timeline:
        return Answer(None, "promised", promised.timeline, _number(kept), promised.candidate)
    if promised and promised.timeline == wish.timeline and promised.candidate != wish.master:
        return Answer(None, "other-master", promised.timeline, _number(kept), promised.candidate)
    if kept and kept.timeline > wish.timeline:
        return Answer(None, "newer-run", kept.timeline, kept.number, kept.master)
    if kept and kept.timeline == wish.timeline and kept.master != wish.master:
        return Answer(None, "other-master", kept.timeline, kept.number, kept.master)
    if kept and kept.number > wish.number:
        return Answer(None, "older-wish", kept.timeline, kept.number, kept.master)
    if kept and kept.number == wish.number and kept != wish:
        return Answer(None, "other-wish", kept.timeline, kept.number, kept.master)
    return _kept(record._replace(wish=wish))


def promise(record: Record, timeline: int, candidate: str, at: float, run: str | None, system: str) -> Answer:
    """Return what a witness answers to who wants to activate a standby on this timeline.

    The same again is promised again. When another run asks for the same, who has asked is forgotten: both rely on it.
    """
    promised, kept = record.promised, record.wish
    if system != record.system:
        return Answer(None, "other-system")
    if promised and promised.timeline > timeline:
        return Answer(None, "promised", promised.timeline, _number(kept), promised.candidate)
    if promised and promised.timeline == timeline and promised.candidate != candidate:
        return Answer(None, "other-master", promised.timeline, _number(kept), promised.candidate)
    if kept and kept.timeline > timeline:
        return Answer(None, "newer-run", kept.timeline, kept.number, kept.master)
    if kept and kept.timeline == timeline and kept.master != candidate:
        return Answer(None, "other-master", kept.timeline, kept.number, kept.master)
    if promised and promised.timeline == timeline:
        return _kept(record._replace(promised=promised._replace(run=run if run == promised.run else None)))
    return _kept(record._replace(promised=Promise(timeline, candidate, at, run)))


def withdraw(record: Record, timeline: int, candidate: str, run: str | None, anyway: bool = False) -> Record | None:
    """Return the record without exactly this promise; None when it has no such one.

    A run takes back only what nobody else relies on. ``anyway`` is the operator's word that nobody was activated by it.
    """
    promised = record.promised
    if promised is None or (promised.timeline, promised.candidate) != (timeline, candidate):
        return None
    if not anyway and (run is None or promised.run != run):
        return None
    return record._replace(promised=None)


def parse(text: str) -> tuple[Record | None, str | None]:
    """Return the record, or why it cannot be believed. Keys that are not known are left alone."""
    if len(text.encode(errors="replace")) > LONGEST:
        return None, "it is too long"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None, "it is no JSON"
    if not isinstance(found, dict):
        return None, "it is no record"
    wrong = _wrong(found, _RECORD)
    for name, checks in (("promised", _PROMISE), ("wish", _WISH)):
        part = found.get(name)
        # a key that is missing is damage as well: whoever takes it for null forgets a promise
        if name not in found or not (part is None or isinstance(part, dict)):
            wrong.append(name)
        elif part is not None:
            wrong += [f"{name}.{each}" for each in _wrong(part, checks)]
    if wrong:
        return None, f"{' and '.join(sorted(wrong))} cannot be right"
    promised = found["promised"] and Promise(*(found["promised"].get(name) for name in Promise._fields))
    return Record(found["system"], found["name"], promised, found["wish"] and wish_of(found["wish"])), None


def render(record: Record) -> str:
    """Return the record as it stands in its file."""
    promised, wish = record.promised, record.wish
    parts = {"promised": promised and promised._asdict(), "wish": wish and wish._asdict()}
    return json.dumps({**record._asdict(), **parts}) + "\n"


def wish_of(found: t.Any) -> Wish | None:
    """Return the wish that a master or a record tells of; None when it cannot be right."""
    if not isinstance(found, dict) or _wrong(found, _WISH):
        return None
    wish = Wish(*(found[name] for name in Wish._fields))
    return wish._replace(at=float(wish.at), standbys=tuple(wish.standbys), witnesses=tuple(wish.witnesses))


def _kept(record: Record) -> Answer:
    """Return a yes, unless the record would be longer than anybody reads."""
    return Answer(record) if len(render(record).encode()) <= LONGEST else Answer(None, "too-long")


def _number(wish: Wish | None) -> int:
    return wish.number if wish else 0


def _wrong(found: dict[str, t.Any], checks: dict[str, t.Callable[[t.Any], bool]]) -> list[str]:
    return [name for name, fits in checks.items() if not fits(found.get(name))]


def _is_name(value: t.Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= NAME_LENGTH and value.isprintable()


def _is_run(value: t.Any) -> bool:
    return value is None or _is_name(value)


def _is_whole(value: t.Any, last: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= last


def _is_timeline(value: t.Any) -> bool:
    return _is_whole(value, LAST_TIMELINE)


def _is_number(value: t.Any) -> bool:
    return _is_whole(value, LAST_NUMBER)


def _is_count(value: t.Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool) and value == 0) or _is_whole(value, MOST_NAMES)


def _is_lsn(value: t.Any) -> bool:
    # an engine may have none
    return value == "" or (isinstance(value, str) and bool(re.fullmatch(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", value)))


def _is_moment(value: t.Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return math.isfinite(value) and 0 <= value < LAST_MOMENT


def _is_system(value: t.Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[1-9][0-9]{0,19}", value))


def _is_list(value: t.Any) -> bool:
    if not isinstance(value, list) or len(value) > MOST_NAMES or not all(map(_is_name, value)):
        return False
    return len(set(value)) == len(value)


_RECORD: dict[str, t.Callable[[t.Any], bool]] = {"system": _is_system, "name": _is_name}
_PROMISE: dict[str, t.Callable[[t.Any], bool]] = {
    "timeline": _is_timeline,
    "candidate": _is_name,
    "at": _is_moment,
    "run": _is_run,
}
_WISH: dict[str, t.Callable[[t.Any], bool]] = {
    "number": _is_number,
    "kind": (ALONE, SYNCHRONOUS).__contains__,
    "timeline": _is_timeline,
    "lsn": _is_lsn,
    "master": _is_name,
    "at": _is_moment,
    "count": _is_count,
    "standbys": _is_list,
    "witnesses": _is_list,
}
