# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A schedule that breaks a promise: made shorter as long as it does, told in sentences, and written for the lab."""

from __future__ import annotations

import json
import typing as t

from .failure import PromiseBroken
from .play import Player, Step, fails


def shrink(
    steps: list[Step],
    broken: PromiseBroken,
    most: int = 400,
    losses: t.Iterable[str] | None = None,
    known: bool = False,
) -> list[Step]:
    """Return a schedule that breaks the same promise in the same way, from which nothing more can be left out."""

    def still(shorter: list[Step]) -> bool:
        found, _player = fails(shorter, losses, known)
        return found is not None and found.what == broken.what

    tried, again = 0, True
    while again and tried < most:
        again = False
        for shorter in _shorter(steps):
            tried += 1
            if still(shorter):
                steps, again = shorter, True
                break
    return steps


def _shorter(steps: list[Step]) -> t.Iterator[list[Step]]:
    """Give each schedule with something less in it, the much shorter ones first."""
    for number in range(len(steps)):
        for size in (3, 2, 1):
            if number + size <= len(steps):
                yield [*steps[:number], *steps[number + size :]]
    for number, step in enumerate(steps):
        less = [
            {key: value for key, value in step.items() if key != name} for name in ("busy", "options") if step.get(name)
        ]
        moments = step.get("moments")
        if moments:
            less += [{**step, "moments": fewer} for fewer in (moments // 2, moments - 1)]
        for each in less:
            yield [*steps[:number], each, *steps[number + 1 :]]


def tell(player: Player, broken: PromiseBroken | None) -> str:
    """Return what has happened, a sentence a line."""
    lines = [f"  {number}. {each}" for number, each in enumerate(player.world.words, 1)]
    return "\n".join([*lines, f"  => {broken}" if broken else "  => every promise was kept"])


def export(player: Player, seed: int | None = None, broken: PromiseBroken | None = None) -> str:
    """Return the schedule as it was played, as JSON for the lab.

    Of each step: ``do`` and ``host`` (or ``hosts`` of a cable), what it said, and of a run that was stopped or killed
    ``until``: the task, its host, and where inside of its module.
    """
    return json.dumps(
        {"seed": seed, "broken": broken.what if broken else None, "steps": player.record}, indent=1, ensure_ascii=False
    )
