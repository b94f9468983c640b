# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a segment has written down is read as any input is; whatever stands there, nothing fails."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import segments
from ansible_collections.hawq.mirroring.plugins.module_utils.values import memory, shape
from ansible_collections.hawq.mirroring.plugins.module_utils.values.observation import Witness

SYSTEM = "7712689664250374424"
KNOWN = {"master": "mdw", "timeline": 1, "lsn": "0/3017F88", "summary_state": "Synchronized", "at": 1795428856.0}


def text(**changed: t.Any) -> str:
    return json.dumps({**KNOWN, "system_identifier": SYSTEM, **changed})


BELIEVED = {
    "whole": text(),
    "of version 1.0": json.dumps(KNOWN),
    "no LSN": text(lsn=""),
    "no timeline": text(timeline=None),
    "a master without a name": text(master=""),
    "a whole second": text(at=1),
    "more than we know": text(colour="blue"),
}
DAMAGED = {
    "empty": ("", "it is no JSON"),
    "cut off": (text()[:-9], "it is no JSON"),
    "deep": ("[" * 4000, "it is no JSON"),
    "a list": ("[]", "it is no record"),
    "a word": ("null", "it is no record"),
    "half": ('{"master": "mdw"}', "at and summary_state cannot be right"),
    "an LSN that is none": (text(lsn="zz"), "lsn cannot be right"),
    "an LSN beyond all": (text(lsn="123456789/0"), "lsn cannot be right"),
    "an LSN that is a number": (text(lsn=7), "lsn cannot be right"),
    "an LSN with a sign": (text(lsn="-1/0"), "lsn cannot be right"),
    "an LSN and a line more": (text(lsn="0/1\n"), "lsn cannot be right"),
    "a moment that no calendar has": (text(at=1e30), "at cannot be right"),
    "a moment before all": (text(at=-1), "at cannot be right"),
    "no moment": (text(at=float("nan")), "at cannot be right"),
    "an endless moment": (text(at=float("inf")), "at cannot be right"),
    "a moment in words": (text(at="now"), "at cannot be right"),
    "a moment that is a truth": (text(at=True), "at cannot be right"),
    "a timeline in words": (text(timeline="nine"), "timeline cannot be right"),
    "timeline 0": (text(timeline=0), "timeline cannot be right"),
    "half a timeline": (text(timeline=1.5), "timeline cannot be right"),
    "a timeline beyond all": (text(timeline=1 << 32), "timeline cannot be right"),
    "a state that there is not": (text(summary_state="Fine"), "summary_state cannot be right"),
    "a state that is a list": (text(summary_state=[]), "summary_state cannot be right"),
    "a name that is none": (text(master=["mdw"]), "master cannot be right"),
    "a name with a colour": (text(master="\x1b[31mmdw"), "master cannot be right"),
    "half a letter": (text(master="\ud800"), "master cannot be right"),
    "a name without end": (text(master="m" * 254), "master cannot be right"),
    "a system that is a number": (text(system_identifier=77), "system_identifier cannot be right"),
    "a system in words": (text(system_identifier="ours"), "system_identifier cannot be right"),
}


@pytest.mark.parametrize("written", BELIEVED.values(), ids=BELIEVED)
def test_what_fits_is_remembered(written: str) -> None:
    found, damage = memory.parse(written)
    assert damage is None
    assert shape.misfits(found, Witness) == []


@pytest.mark.parametrize(("written", "damage"), DAMAGED.values(), ids=DAMAGED)
def test_what_does_not_fit_is_told(written: str, damage: str) -> None:
    assert memory.parse(written) == (None, damage)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    new, old = tmp_path / "new.json", tmp_path / "old.json"
    monkeypatch.setattr(segments, "PLACES", (str(new), str(old)))
    return new, old


def test_no_memory_is_no_damage(places: tuple[Path, Path]) -> None:
    assert segments.remembered() == (None, None)


def test_the_place_of_version_1_0_is_looked_at_where_there_is_no_newer(places: tuple[Path, Path]) -> None:
    new, old = places
    old.write_text(json.dumps(KNOWN))
    assert (segments.remembered()[0] or {})["master"] == "mdw"
    new.write_text(text(master="smdw"))
    assert (segments.remembered()[0] or {})["master"] == "smdw"


def test_only_a_plain_and_short_file_is_read(places: tuple[Path, Path]) -> None:
    new, old = places
    new.write_text(text(colour="b" * memory.LONGEST))
    assert segments.remembered() == (None, "it is too long")
    new.unlink()
    os.mkfifo(new)
    assert segments.remembered() == (None, "it is no plain file")
    new.unlink()
    new.mkdir()
    assert segments.remembered() == (None, "it is no plain file")
    new.rmdir()
    old.write_text(text())
    new.symlink_to(old)
    assert segments.remembered() == (None, "it cannot be opened: Too many levels of symbolic links")
    new.unlink()
    new.write_bytes(b"\xff\xfe")
    assert segments.remembered() == (None, "it is no JSON")
