# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who does what when a standby becomes the master, and what it can still get from its old master. Pure."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import wal
from ..values.command import again
from . import topology
from .failover import evidence
from .options import Options
from .plan import FencingSteps, SalvagePlan, only
from .refusal import AGAIN, Verdict, decide, refuse


class Hands(t.NamedTuple):
    """From whom to whom the master's part goes, and who goes along."""

    old: str | None
    new: str
    fence: str
    followers: list[str]
    segments: bool
    #: whether the new master's server must be given other settings first
    settings: bool = False
    #: whether slots of others are made anew on it
    slots: bool = False
    #: whether it confirms no commit before its guard lets it
    held: bool = False


def steps(hands: Hands, options: Options) -> FencingSteps:
    """Return the hosts of each step of a takeover."""
    by_command = hands.fence == evidence.BY_COMMAND and not options.get("check")
    return {
        "settings": only(hands.new, hands.settings),
        "fence": only(hands.old, hands.fence == evidence.BY_MODULE),
        "fence_command": only(hands.old, by_command),
        "activate": [hands.new],
        "follow": hands.followers,
        "other_slots": only(hands.new, hands.slots and not options.get("check")),
        "followed": only(hands.new, bool(hands.followers)),
        "checkpoint": [hands.new],
        "registered": only(hands.new, hands.segments),
        "commits": only(hands.new, hands.held and not options.get("check")),
    }


def let_in(seen: topology.Observation) -> str:
    """Return what lets a server read its access file again."""
    return table.typed(seen, [table.of(seen).words.reload]) if locked_out(seen) else ""


def locked_out(seen: topology.Observation) -> str | None:
    """Return the access file of a server that lets no client in from another host; None when that is not known."""
    server = seen["server"] if topology.kind(seen) != topology.UNREACHABLE else None
    closed = server is not None and server.get("lets_clients_in") is False
    return server["settings"]["access_file"] if server and closed else None


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
    #: its server's unit
    unit: str


def pieces(files: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the pieces in which files go through the controller: that needs the memory of one at a time."""
    return [
        {"name": entry["name"], "offset": offset}
        for entry in files
        for offset in range(0, min(int(entry["size"]), wal.MOST_BYTES), wal.PIECE_BYTES)
    ]


def _log(seen: topology.Observation | None) -> str:
    """Return where a host's server says what keeps it from working, when that is known."""
    if not seen or topology.kind(seen) == topology.UNREACHABLE:
        return ""
    return f" (journalctl -u {seen['service']['unit']} there)"


def salvage(plan: dict[str, t.Any], found: Found, options: Options) -> Verdict:
    """Judge, when the old master stands still, what the standby lacks and how it gets that."""
    old, new = plan["old"], plan["new"]
    running = bool(found.standby) and topology.kind(t.cast(t.Any, found.standby)) == topology.STANDBY
    start = plan["activate"] and (plan["start"] or bool(plan.get("recovery_settings")))
    asks = plan["activate"] and plan["salvage"]
    ask = asks and not plan["standing"] and not (options.get("check") and start)
    asked_for = found.started or not start
    if not running and (plan.get("again") or (ask and asked_for)):
        words = " ".join((found.trouble or "no answer").split())
        return refuse(
            "not-a-running-standby",
            f"{new} is no running standby any more ({words})",
            "nobody could take over",
            f"Look at it{_log(found.standby)}, {AGAIN}",
        )
    holds = evidence.holds(t.cast(t.Any, found.standby)) if running else {}
    if ask and asked_for and holds["have"] is None and not options.get("accept_data_loss"):
        return refuse(
            "not-compared",
            f"{new} gives no session ({found.trouble}), and how much WAL it has cannot be read",
            f"what only {old} has would be lost",
            f"Mend what keeps sessions out of {new}{_log(found.standby)}, {AGAIN}. Or accept the loss:"
            f" {again(accept_data_loss=True)}",
        )
    offer = found.offered.get("offer") or {}
    missing = asks and offer.get("missing_bytes", 0) > 0
    look = start or (asks and offer.get("missing_bytes", 1) > 0)
    unfetched = missing and found.unfetched
    judged: SalvagePlan = {
        "workflow": "salvage",
        "master": new,
        "offer": offer,
        "pieces": pieces(offer["files"]) if unfetched else [],
        "after": holds.get("after"),
        "have": holds.get("have"),
        "timeline": holds.get("timeline"),
        "address": plan["endpoints"][old]["address"] if old in plan["endpoints"] else "",
        "port": found.port,
        "unit": found.unit,
        "steps": {
            "look": [old, new] if look else [],
            "start": only(new, start and not found.started),
            "offer": only(old, ask and (not asked_for or holds["have"] is not None)),
            "bring": [old, new] if missing else [],
            "fetch": only(new, missing),
            "give": only(old, unfetched),
            "take": only(new, unfetched),
        },
    }
    return decide(judged, [])
