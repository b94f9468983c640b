# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report of a failover says of the witnesses: who has promised, and what is known by that. Pure."""

from __future__ import annotations

import typing as t

from ..judge.failover.promising import Outcome, names

#: of a check, which lets nobody promise
WOULD = "not asked for in a check. As the witnesses are now: "


def facts(outcome: Outcome | None, check: bool) -> dict[str, str]:
    """Return the lines on the promises; nothing where there is no witness.

    The fence and the loss stand in place of what is said without witnesses, where the witnesses know.
    """
    if outcome is None or not outcome.promises:
        return {}
    found = {"Promised": f"{WOULD}{outcome.promises}" if check else outcome.promises}
    if outcome.fence and not check:
        found["Fence"] = outcome.fence
    if outcome.lost:
        found["Data lost"] = outcome.lost
    return found


def commits(told: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the line on whether a new master confirms commits, where it did not before its guard let it."""
    if not told:
        return {}
    if told["held"]:
        waited = f" after {told['waited']:.0f} s"
        why = f" ({told['reason']})" if told["reason"] else ""
        return {"Commits": f"STILL WAIT{waited}: no majority of the witnesses has granted the first one{why}"}
    if told["waits_for"]:
        return {"Commits": f"go on, and wait for the standby: {told['waits_for']}"}
    by = f" by consent of {names(told['consented'])}" if told["consented"] else ""
    return {"Commits": f"go on alone{by}, until a standby follows"}


def mend(told: t.Mapping[str, t.Any], new: str) -> list[str]:
    """Return what lets commits go on."""
    if not told or not told["held"]:
        return []
    return [
        f"bring the witnesses up: commits go on by themselves when a majority of them answers {new}. Why they wait:"
        f" journalctl -u 'hawq-mirroring-guard-*' on {new}"
    ]
