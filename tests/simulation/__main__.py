# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Play many schedules: ``make simulate SCHEDULES=20000 SEED=7``, or one: ``make simulate STORY=1234``."""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import os
import pathlib
import random
import sys
import time
import typing as t

from . import story
from .play import fails
from .schedule import make
from .stories import STORIES

#: schedules that a process plays before it tells
PORTION = 250


class Outcome(t.NamedTuple):
    """What a portion of schedules has come to: by the way that a promise was broken how often, and a seed."""

    played: int
    broken: dict[str, tuple[int, int]]
    passed: dict[str, int]


def portion(seeds: range) -> Outcome:
    """Play schedules."""
    broken: dict[str, tuple[int, int]] = {}
    passed: collections.Counter[str] = collections.Counter()
    for seed in seeds:
        error, player = fails(make(seed), known=True)
        passed.update(set(player.passed))
        if error:
            number, first = broken.get(error.what, (0, seed))
            broken[error.what] = (number + 1, first)
    return Outcome(len(seeds), broken, dict(passed))


def many(first: int, number: int, processes: int) -> int:
    """Play so many schedules; print what breaks a promise, each with its shortest story. Return how many do."""
    begin = time.monotonic()
    portions = [range(at, min(at + PORTION, first + number)) for at in range(first, first + number, PORTION)]
    broken: dict[str, tuple[int, int]] = {}
    passed: collections.Counter[str] = collections.Counter()
    with multiprocessing.Pool(processes) as pool:
        for outcome in pool.imap_unordered(portion, portions):
            passed.update(outcome.passed)
            for what, (count, seed) in outcome.broken.items():
                before = broken.get(what, (0, seed))
                broken[what] = (before[0] + count, min(before[1], seed))
    seconds = time.monotonic() - begin
    print(f"{number} schedules from seed {first} on in {seconds:.0f} s ({number / seconds:.0f} a second)")
    known: collections.Counter[str] = collections.Counter()
    for what, count in passed.items():
        known[next(each.name for each in STORIES if each.shows(what))] += count
    for name, count in known.most_common():
        print(f"known, {count} times: {name}")
    for what, (count, seed) in sorted(broken.items(), key=lambda row: -row[1][0]):
        print(f"\n{count} times, first with seed {seed}: {what}")
        print(one(seed))
    unseen = [each.name for each in STORIES if each.broken and each.name not in known]
    if unseen and number >= PORTION:
        print(f"known, and not met: {'; '.join(unseen)}")
    return len(broken)


def one(seed: int, folder: str | None = None) -> str:
    """Play one schedule, make it shorter when it breaks a promise, and return its story; keep it for the lab."""
    steps = make(seed)
    error, player = fails(steps, known=True)
    if error:
        steps = story.shrink(steps, error, known=True)
        error, player = fails(steps, known=True)
    if folder:
        place = pathlib.Path(folder) / f"story-{seed}.json"
        place.write_text(story.export(player, seed, error) + "\n", encoding="utf-8")
    return "\n".join([story.tell(player, error), *(f"    {step}" for step in steps)])


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=20000)
    parser.add_argument("--seed", default="1", help="the first seed, or random")
    parser.add_argument("--story", type=int, help="play this seed alone, and tell")
    parser.add_argument("--export", help="folder that gets the story as JSON, for the lab")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    if given.story is not None:
        print(one(given.story, given.export))
        return
    first = random.SystemRandom().randrange(10**9) if given.seed == "random" else int(given.seed)
    sys.exit(many(first, given.schedules, given.processes) > 0)


if __name__ == "__main__":
    main()
