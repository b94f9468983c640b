# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Explore the protocol: ``PYTHONPATH=collections:tests python -m protocol --depth 9``.

With ``--variants`` it is explored with one rule broken, and what is broken must be found.
"""

from __future__ import annotations

import argparse
import re
import sys
import typing as t

from . import starts
from .explore import Found, explore
from .model import World
from .variants import LISTS, VARIANTS

#: what is explored, from where, with how many servers
WORLDS: dict[str, tuple[World, str, int]] = {
    **{name: (World(), name, 2) for name in ("synchronous", "alone", "second", "returned", "empty", "activated")},
    "strict": (World(mode="strict"), "synchronous", 2),
    "three servers": (World(), "synchronous", 3),
    "three servers, two of them": (World(count=2), "synchronous", 3),
    "another list of witnesses": (World(lists=LISTS), "synchronous", 2),
    "between two lists": (World(lists=LISTS), "relisted", 2),
}


def one(name: str, depth: int, faults: int, **limits: t.Any) -> Found:
    """Explore from one of the beginnings."""
    world, start, servers = WORLDS[name]
    begin = starts.synchronous(world, servers) if start == "synchronous" else starts.STARTS[start](world)
    return explore(world, begin._replace(faults=faults), depth, **limits)


def variant(name: str, **limits: t.Any) -> Found:
    """Explore what is broken until that is found."""
    each = VARIANTS[name]
    with each.patch():
        return explore(each.world, each.begin(), each.depth, calm=each.calm, **limits)


def main() -> int:
    """Read the arguments, and tell."""
    parser = argparse.ArgumentParser(prog="protocol", description=__doc__)
    parser.add_argument("--depth", type=int, default=8, help="how many events")
    parser.add_argument("--faults", type=int, default=2, help="how many of them are faults")
    parser.add_argument("--calm", type=int, help="up to which depth it is tried whether it goes on; default: depth - 3")
    parser.add_argument("--seconds", type=float, default=1e9, help="seconds for each beginning")
    parser.add_argument("--most", type=int, default=20_000_000, help="states for each beginning, for the memory's sake")
    parser.add_argument("--start", choices=WORLDS, action="append", help="explore from here only")
    parser.add_argument("--variants", action="store_true", help="explore the protocol with one rule broken, in turn")
    given = parser.parse_args()
    wrong = 0
    if given.variants:
        for name, each in VARIANTS.items():
            found = variant(name, seconds=given.seconds)
            print(f"{name}: {found.tell()}", flush=True)
            wrong += not (found.broken and re.search(each.ends, found.broken))
        return wrong
    calm = given.depth - 3 if given.calm is None else given.calm
    for name in given.start or WORLDS:
        found = one(name, given.depth, given.faults, seconds=given.seconds, most=given.most, calm=calm)
        print(f"{name}, {given.faults} faults: {found.tell()}", flush=True)
        wrong += found.broken is not None
    return wrong


if __name__ == "__main__":
    sys.exit(main())
