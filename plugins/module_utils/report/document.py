# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report as programs read it: one JSON document a run, whichever way it ends. Pure."""

from __future__ import annotations

import datetime
import typing as t

VERSION = 1
#: the first part of each run, in the seconds of its report
LOOK = "observe and judge"
DONE, NOTHING, REFUSED, FAILED = "done", "nothing to do", "refused", "failed"


class Report(t.TypedDict, total=False):
    """What every report has; beside it stand the parts of its workflow, as sources lists them."""

    version: t.Annotated[int, "of this format"]
    workflow: t.Annotated[str, "the playbook's name"]
    result: t.Annotated[str, "done, nothing to do, refused or failed"]
    began: t.Annotated[str, "when the run began", "UTC, ISO 8601"]
    ended: t.Annotated[str | None, "when it ended; null as long as it has not, or when it was killed", "UTC, ISO 8601"]
    check: t.Annotated[bool, "whether it was a check run, which changes nothing"]
    title: t.Annotated[str, "what has come of it"]
    facts: t.Annotated[dict[str, str], "what was found and done, by label"]
    next: t.Annotated[list[str], "what to do now"]
    seconds: t.Annotated[dict[str, float], "of each step"]
    total_seconds: t.Annotated[float, "of all", "s"]
    plan: t.Annotated[dict[str, t.Any], "what was to be done"]
    refusals: t.Annotated[list[dict[str, str]], "of a refused run: kind, found, why, command"]
    why: t.Annotated[list[str], "of a failed run: what has failed, and what was taken back"]


def moment(epoch: float) -> str:
    """Return a moment as programs and people read it."""
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def begun(workflow: str, began: float, check: bool) -> Report:
    """Return the report of a run that has not ended: should it be killed, this stays."""
    title = f"{workflow} has begun, and has not ended"
    return {**_head(workflow, FAILED, began, check), "ended": None, "title": title, "facts": {}, "next": []}


def _head(workflow: str, result: str, began: float, check: bool) -> Report:
    return {
        "version": VERSION,
        "workflow": workflow,
        "result": result,
        "began": moment(began),
        "check": check,
    }


def envelope(workflow: str, result: str, began: float, ended: float, check: bool) -> Report:
    """Return what every report of a run that has ended begins with."""
    return {**_head(workflow, result, began, check), "ended": moment(ended)}


def refused(workflow: str, began: float, ended: float, check: bool, refusals: list[dict[str, str]]) -> Report:
    """Return the report of a run that was refused."""
    head = envelope(workflow, REFUSED, began, ended, check)
    title = f"{workflow} refused, nothing was changed"
    return {**head, "title": title, "facts": {}, "next": [row["command"] for row in refusals], "refusals": refusals}


def failed(
    workflow: str, began: float, ended: float, check: bool, why: list[str], follow: list[str] | None = None
) -> Report:
    """Return the report of a run that has failed."""
    head = envelope(workflow, FAILED, began, ended, check)
    return {**head, "title": f"{workflow} failed", "facts": {}, "next": follow or [], "why": why}


def left_behind(swap: t.Mapping[str, t.Any], ended: float, why: list[str], command: str) -> dict[str, t.Any]:
    """Return the report of a switchover whose old master could not be made a standby afterwards."""
    return {
        **swap,
        "result": FAILED,
        "ended": moment(ended),
        "facts": {**swap.get("facts", {}), "The old master": "does not follow yet"},
        "why": why,
        "next": [*swap.get("next", []), f"when that is mended, let it follow: {command}"],
    }


def timed(marks: dict[str, float | None], now: float, check: bool = False) -> Report:
    """Return the seconds of each step. A mark is when its step ended; ``began`` is when the first one began.

    A check copies nothing, so that no time of it is that of a copy.
    """
    known = {name: mark for name, mark in marks.items() if mark and (not check or name in ("began", LOOK))}
    begin = known.pop("began", now)
    seconds, last = {}, begin
    rest = "try the steps" if check else "confirm" if len(known) > 1 else "act and confirm"
    for name, mark in [*known.items(), (rest, now)]:
        seconds[name] = round(mark - last, 2)
        last = mark
    return {"seconds": seconds, "total_seconds": round(now - begin, 2)}
