# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the records of witnesses that have promised prove of the old master."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import majority
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover.majority import Told
from ansible_collections.hawq.mirroring.plugins.module_utils.values.ledger import Record, Wish

LIST = ("sdw1", "sdw2", "sdw3")


def wish(number: int, kind: str = "synchronous", timeline: int = 1, witnesses: tuple[str, ...] = LIST) -> Wish:
    standbys = ("smdw",) if kind == "synchronous" else ()
    return Wish(number, kind, timeline, "0/64", "mdw", 1.0, len(standbys), standbys, witnesses)


def told(**wishes: Wish | None) -> list[Told]:
    """A name that ends with ``_heard`` has answered, and not promised."""
    return [
        Told(Record("1", name.replace("_heard", ""), None, found), not name.endswith("_heard"))
        for name, found in wishes.items()
    ]


SYNC, ALONE, AGAIN = wish(5), wish(6, "alone"), wish(7)
FOUR, FIVE = ("sdw1", "sdw2", "sdw3", "sdw4"), ("sdw1", "sdw2", "sdw3", "sdw4", "sdw5")
OTHERS = ("sdw3", "sdw4", "sdw5")


class Row(t.NamedTuple):
    """What is told, and what it proves."""

    told: list[Told]
    outcome: str
    #: number of the wish that is proven, or of the one that may be in force, and whether it surely is
    number: int | None = None
    certain: bool = False


ROWS = {
    "nobody answers": Row([], "not-known"),
    "nothing was ever granted": Row(told(sdw1=None, sdw2=None), "not-known"),
    "all know that it was not alone": Row(told(sdw1=SYNC, sdw2=SYNC, sdw3=SYNC), "nothing-lost", 5),
    "two of three know": Row(told(sdw1=SYNC, sdw2=SYNC), "nothing-lost", 5),
    "one knows, one began anew": Row(told(sdw1=SYNC, sdw2=None), "nothing-lost", 5),
    "one of three answers": Row(told(sdw1=SYNC), "no-majority"),
    "two have answered, one has promised": Row(told(sdw1=SYNC, sdw2_heard=SYNC), "no-majority"),
    "all know that it was alone": Row(told(sdw1=ALONE, sdw2=ALONE, sdw3=ALONE), "perhaps-alone", 6, True),
    "two know that it was alone": Row(told(sdw1=ALONE, sdw2=ALONE), "perhaps-alone", 6, True),
    "one knows, and the one that is silent may": Row(told(sdw1=ALONE, sdw2=SYNC), "perhaps-alone", 6),
    "one knows, and no other does": Row(told(sdw1=ALONE, sdw2=SYNC, sdw3=SYNC), "nothing-lost", 5),
    "one knows, one has answered without a promise": Row(
        told(sdw1=ALONE, sdw2=SYNC, sdw3_heard=SYNC), "perhaps-alone", 6
    ),
    "it was alone, and is not any more, as one knows": Row(told(sdw1=ALONE, sdw2=AGAIN), "nothing-lost", 7),
    "the newest is heard of one that has not promised": Row(
        told(sdw1=SYNC, sdw2=SYNC, sdw3_heard=ALONE), "nothing-lost", 5
    ),
    "two newer ones of which neither has a majority, and together they may stand for one": Row(
        told(sdw1=wish(8, "alone"), sdw2=ALONE, sdw3=SYNC), "perhaps-alone", 8
    ),
    "a newer run was never granted by a majority": Row(
        told(sdw1=wish(6, "alone", 2), sdw2=SYNC, sdw3=SYNC), "nothing-lost", 5
    ),
    "a newer run may have been granted": Row(told(sdw1=wish(6, "alone", 2), sdw2=SYNC), "perhaps-alone", 6),
    "a newer run counts for more than a higher number": Row(
        told(sdw1=wish(9), sdw2=wish(1, "alone", 2), sdw3=wish(1, "alone", 2)), "perhaps-alone", 1, True
    ),
    "two of four are no majority": Row(told(sdw1=wish(5, witnesses=FOUR), sdw2=None), "no-majority"),
    "three of four": Row(told(sdw1=wish(5, witnesses=FOUR), sdw2=None, sdw3=None), "nothing-lost", 5),
    "two of five know, one is silent": Row(
        told(
            sdw1=wish(6, "alone", witnesses=FIVE), sdw2=wish(6, "alone", witnesses=FIVE),
            sdw3=wish(5, witnesses=FIVE), sdw4=wish(5, witnesses=FIVE),
        ),
        "perhaps-alone", 6,
    ),
    "a majority of the old list, and not of the newest": Row(
        told(sdw1=SYNC, sdw2=SYNC, sdw3=wish(6, witnesses=OTHERS)), "no-majority"
    ),
    "a majority of the newest list": Row(
        told(sdw3=SYNC, sdw4=wish(6, witnesses=OTHERS)), "nothing-lost", 6
    ),
    "alone with a new list, without a majority of the old one": Row(
        told(sdw1=SYNC, sdw2=SYNC, sdw3=wish(6, "alone", witnesses=OTHERS), sdw4=None), "nothing-lost", 5
    ),
    "the last list was empty": Row(told(sdw1=wish(6, witnesses=()), sdw2=SYNC), "not-known"),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_is_proven(row: Row) -> None:
    found = majority.prove(row.told)
    assert found.outcome == row.outcome
    one = found.claim if row.outcome == "nothing-lost" else found.alone if row.outcome == "perhaps-alone" else None
    assert (one and one.number) == row.number
    assert found.certain is row.certain


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_names_and_their_order_say_nothing(row: Row) -> None:
    """Witnesses can change places, by which the exploration looks at one state for many."""
    places = {name: f"sdw{(at + 2) % 5 + 1}" for at, name in enumerate(FIVE)}

    def moved(record: Record) -> Record:
        other = record.wish and record.wish._replace(witnesses=tuple(places[name] for name in record.wish.witnesses))
        return record._replace(name=places[record.name], wish=other)

    here = majority.prove(row.told)
    there = majority.prove([each._replace(record=moved(each.record)) for each in reversed(row.told)])
    assert (there.outcome, there.certain, there.needed, there.number) == (
        here.outcome,
        here.certain,
        here.needed,
        here.number,
    )
    assert set(there.promised) == {places[name] for name in here.promised}


def test_it_says_who_has_consented_and_who_is_silent() -> None:
    found = majority.prove(told(sdw1=ALONE, sdw2=SYNC))
    assert (found.consented, found.silent, found.promised, found.needed) == (("sdw1",), ("sdw3",), ("sdw1", "sdw2"), 2)


def test_a_new_run_inherits_every_list_that_counts() -> None:
    found = majority.prove(told(sdw1=SYNC, sdw2=SYNC, sdw3=wish(6, "alone", witnesses=OTHERS), sdw4=None))
    assert found.number == 6
    assert set(found.lists) == {LIST, OTHERS}


@pytest.mark.parametrize(
    ("count", "standbys", "needed"),
    [(1, ("a",), 1), (1, ("a", "b"), 2), (2, ("a", "b"), 1), (2, ("a", "b", "c"), 2)],
)
def test_the_furthest_of_enough_has_everything(count: int, standbys: tuple[str, ...], needed: int) -> None:
    claim = SYNC._replace(count=count, standbys=standbys)
    assert majority.needed_standbys(claim) == needed
    for size in range(len(standbys) + 1):
        for left in itertools.combinations(standbys, size):
            rest = set(standbys) - set(left)
            # whoever was waited for is among those who have left, and those who stay are too few
            holds = all(set(has) & set(left) for has in itertools.combinations(standbys, count)) and len(rest) < count
            assert majority.is_enough(claim, left) is holds
    assert not majority.is_enough(claim, ["somebody"] * 3)


def test_whatever_a_majority_has_granted_is_never_passed_over() -> None:
    """Of every way in which three witnesses can hold three wishes: what has a majority is in what is proven."""
    wishes = [None, SYNC, ALONE, AGAIN]
    for held in itertools.product(wishes, repeat=3):
        for answering in itertools.combinations(range(3), 2):
            found = majority.prove([Told(Record("1", LIST[at], None, held[at]), True) for at in answering])
            granted = [
                each for each in wishes[1:] if sum(bool(has) and has.number >= each.number for has in held) >= 2
            ]  # fmt: skip
            newest = max((each.number for each in granted), default=0)
            if found.claim:
                assert found.claim.number >= newest
