# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each story keeps every promise; one that is known to break one breaks it in the way that it tells of."""

from __future__ import annotations

import pytest

from simulation import schedule, story
from simulation.failure import PromiseBroken
from simulation.play import fails
from simulation.stories import STORIES, Story

MENDED = [each for each in STORIES if not each.broken]
KNOWN = [each for each in STORIES if each.broken]


def _broken(each: Story) -> PromiseBroken | None:
    error, _player = fails(each.steps, losses=None if each.ready else ())
    return error


@pytest.mark.parametrize("each", MENDED, ids=lambda each: each.name)
def test_story(each: Story) -> None:
    error, player = fails(each.steps)
    assert error is None, f"{each.about}\n{story.tell(player, error)}"


@pytest.mark.parametrize(
    "each",
    [
        pytest.param(each, marks=pytest.mark.xfail(strict=True, raises=PromiseBroken, reason=each.about), id=each.name)
        for each in KNOWN
    ],
)
def test_known_fault(each: Story) -> None:
    error = _broken(each)
    if error is not None:
        assert each.shows(error.what), f"another promise is broken than the story tells of: {error}"
        raise error


def test_the_same_seed_lives_the_same_life() -> None:
    for seed in range(20):
        lives = [fails(schedule.make(seed), known=True)[1].world.words for _each in range(2)]
        assert lives[0] == lives[1]


def test_a_schedule_that_breaks_a_promise_is_made_shorter() -> None:
    known = next(each for each in STORIES if each.name == "promoted_by_hand")
    if not known.broken:
        pytest.skip("nothing is broken that could be shown")
    steps = [{"do": "work"}, *known.steps[:-1], {"do": "minute"}, known.steps[-1]]
    error, _player = fails(steps, losses=())
    assert error
    assert story.shrink(steps, error, losses=()) == known.steps


def test_names_are_different() -> None:
    names = [each.name for each in STORIES]
    assert len(set(names)) == len(names)
