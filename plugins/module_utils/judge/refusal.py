# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a workflow does not go on, or with what plan it does. Pure."""

from __future__ import annotations

import typing as t

from .plan import Plan


class Refusal(t.NamedTuple):
    """One reason not to go on."""

    found: str
    why: str
    command: str
    #: an option that may be set by typing a word at a terminal: its name and that word
    asks: tuple[str, str] | None = None

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
    return "Name it with " + " or ".join(f"-e {option}={name}" for name in names)


def refuse(found: str, why: str, command: str) -> Verdict:
    """Return the verdict that has one reason not to go on."""
    return refused([Refusal(found, why, command)])


def refused(refusals: list[Refusal]) -> Verdict:
    """Return the verdict that has these reasons not to go on."""
    return Verdict(None, refusals)


def decide(plan: Plan, refusals: list[Refusal]) -> Verdict:
    """Return the verdict on a plan, which is none as soon as anything speaks against it."""
    return refused(refusals) if refusals else Verdict(plan, [])
