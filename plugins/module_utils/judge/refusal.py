# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a workflow does not go on, or with what plan it does. Pure."""

from __future__ import annotations

import typing as t

from ..values.command import again
from .plan import Plan

#: how a command ends that removes what stands in the way
AGAIN = "then run this again"

#: What a refusal is about, for programs: these words stay, whatever the sentences become.
Kind = t.Literal[
    "address-configured",
    "address-interface",
    "address-misfit",
    "address-program",
    "address-taken",
    "ahead-of-master",
    "another-took-over",
    "archive-failing",
    "behind-another",
    "cannot-look",
    "collation-difference",
    "configuration-errors",
    "configuration-too-small",
    "contradicting-options",
    "copy-running",
    "data-closed",
    "data-damaged",
    "data-missing",
    "data-not-there",
    "data-of-a-former-master",
    "different-systems",
    "directory-closed",
    "directory-in-use",
    "disk-too-small",
    "follows-a-standby",
    "frozen",
    "gone-alone",
    "has-a-master",
    "has-a-standby",
    "holds-data",
    "host-not-named",
    "inventory-directory",
    "inventory-name",
    "inventory-port",
    "is-the-master",
    "lagging",
    "library-missing",
    "linked-files",
    "listens-elsewhere",
    "locale-missing",
    "master-alive",
    "master-port-closed",
    "may-be-a-master",
    "memory-too-small",
    "mount-or-link",
    "named-place",
    "never-alone",
    "newer-timeline",
    "no-host",
    "no-master",
    "no-route",
    "no-segments",
    "no-session",
    "no-standby",
    "no-such-database",
    "no-such-standby",
    "no-version",
    "no-way-back",
    "not-a-running-standby",
    "not-a-standby",
    "not-compared",
    "not-in-group",
    "not-mounted",
    "not-proven-dead",
    "not-synchronized",
    "not-waited-for",
    "other-architecture",
    "other-data-directory",
    "other-slots",
    "other-system",
    "other-unit",
    "other-version",
    "port-open",
    "port-taken",
    "programs-missing",
    "promised-to-another",
    "read-only",
    "renamed",
    "replay-blocked",
    "replay-paused",
    "restart-needed",
    "restart-pending",
    "same-directory",
    "same-machine",
    "same-slot",
    "segment-not-prepared",
    "settings-lost",
    "settings-too-small",
    "several-hosts",
    "several-systems",
    "slot-would-be-lost",
    "snapshot-not-online",
    "standby-stale",
    "synchronous-by-name",
    "synchronous-foreign",
    "tablespace-files",
    "tablespace-place",
    "too-far-behind",
    "two-masters",
    "unknown-master",
    "unknown-version",
    "unreachable",
    "version-not-offered",
    "wal-disk-too-small",
    "witness-taken",
    "witnesses-missing",
    "would-not-start",
]


class Refusal(t.NamedTuple):
    """One reason not to go on."""

    kind: t.Annotated[Kind, "what it is about"]
    found: t.Annotated[str, "what was found"]
    why: t.Annotated[str, "why that is a reason"]
    command: t.Annotated[str, "the command that goes on"]
    asks: t.Annotated[
        tuple[str, str] | None, "an option that may be set by typing a word at a terminal: its name and that word"
    ] = None

    def sentence(self) -> str:
        """Return the refusal as people read it."""
        return f"{self.found}: {self.why}. {self.command}."


class Verdict(t.NamedTuple):
    """Either a plan to act on, or the reasons not to."""

    #: one of those in plan.PLANS; None when refused
    plan: t.Any
    refusals: list[Refusal]


def one_of(option: str, names: t.Iterable[str]) -> str:
    """Return how one of several hosts is named on the command line."""
    return "Name it: " + " or ".join(again(**{option: name}) for name in names)


def correct(option: str, first: str = "C") -> str:
    """Return that a host is to be named otherwise, or not at all."""
    return f"{first}orrect the name, or leave it out: {again(**{option: 'HOST'})}"


def either_way() -> str:
    """Return the two commands that decide what becomes of what is in the way."""
    return f"To move it aside: {again(existing_data='keep')}. To delete it: {again(existing_data='discard')}"


def refuse(kind: Kind, found: str, why: str, command: str) -> Verdict:
    """Return the verdict that has one reason not to go on."""
    return refused([Refusal(kind, found, why, command)])


def refused(refusals: list[Refusal]) -> Verdict:
    """Return the verdict that has these reasons not to go on."""
    return Verdict(None, refusals)


def decide(plan: Plan, refusals: list[Refusal]) -> Verdict:
    """Return the verdict on a plan, which is none as soon as anything speaks against it."""
    return refused(refusals) if refusals else Verdict(plan, [])
