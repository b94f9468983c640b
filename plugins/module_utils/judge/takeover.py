# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who does what when a standby becomes the master, and what it can still get from its old master. Pure."""

from __future__ import annotations

import typing as t

from ..values import wal
from . import topology
from .failover import evidence
from .options import Options
from .plan import FailoverSteps, SalvagePlan, only
from .refusal import AGAIN, Verdict, decide, refuse


class Hands(t.NamedTuple):
    """From whom to whom the master's part goes, and who goes along."""

    old: str | None
    new: str
    fence: str
    followers: list[str]
    segments: bool


def steps(hands: Hands, options: Options) -> FailoverSteps:
    """Return the hosts of each step of a takeover."""
    by_command = hands.fence == evidence.BY_COMMAND and not options.get("check")
    return {
        "fence": only(hands.old, hands.fence == evidence.BY_MODULE),
        "fence_command": only(hands.old, by_command),
        "activate": [hands.new],
        "follow": hands.followers,
        "followed": only(hands.new, bool(hands.followers)),
        "checkpoint": [hands.new],
        "registered": only(hands.new, hands.segments),
    }


class Found(t.NamedTuple):
    """What the hosts have answered since a takeover was judged."""

    #: the new master as it was seen last, or why it was not; whether it was looked at after a start
    standby: topology.Observation | None
    trouble: str
    started: bool
    #: what its old master's host offers, as the fence or a question of its own has found, and whether it was asked
    offered: dict[str, t.Any]
    #: whether the new master's host could not fetch it
    unfetched: bool
    #: port of SSH on the old master's host
    port: int


def pieces(files: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the pieces in which files go through the controller: that needs the memory of one at a time."""
    return [
        {"name": entry["name"], "offset": offset}
        for entry in files
        for offset in range(0, min(int(entry["size"]), wal.MOST_BYTES), wal.PIECE_BYTES)
    ]


def salvage(plan: dict[str, t.Any], found: Found, options: Options) -> Verdict:
    """Judge, when the old master stands still, what the standby lacks and how it gets that."""
    old, new = plan["old"], plan["new"]
    if plan.get("again") and not (found.standby and topology.kind(found.standby) == topology.STANDBY):
        words = " ".join((found.trouble or "no answer").split())
        return refuse(
            "not-a-running-standby",
            f"{new} is no running standby any more ({words})",
            "nobody could take over",
            f"Look at it, {AGAIN}",
        )
    server = found.standby["server"] if found.standby else None
    offer = found.offered.get("offer") or {}
    asks = plan["activate"] and plan["salvage"]
    missing = asks and offer.get("missing_bytes", 0) > 0
    start = plan["activate"] and plan["start"]
    look = start or (asks and offer.get("missing_bytes", 1) > 0)
    unseen = options.get("check") and start
    unfetched = missing and found.unfetched
    judged: SalvagePlan = {
        "workflow": "salvage",
        "master": new,
        "offer": offer,
        "pieces": pieces(offer["files"]) if unfetched else [],
        "after": server["replay_lsn"] if server else None,
        "have": server["have_lsn"] if server else None,
        "timeline": (server["timeline"] or server["checkpoint_timeline"]) if server else None,
        "address": plan["endpoints"][old]["address"] if old in plan["endpoints"] else "",
        "port": found.port,
        "steps": {
            "look": [old, new] if look else [],
            "start": only(new, start and not found.started),
            "offer": only(old, asks and not plan["standing"] and not unseen),
            "bring": [old, new] if missing else [],
            "fetch": only(new, missing),
            "give": only(old, unfetched),
            "take": only(new, unfetched),
        },
    }
    return decide(judged, [])
