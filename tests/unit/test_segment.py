# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The program of a segment: whatever it is answered, it goes on and remembers nothing odd."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo, memory

PROGRAM = str(Path(__file__).parents[2] / "roles/segment/files/hawq-mirroring-segment")
SETTINGS = {
    "hostname": "sdw1",
    "port": 40000,
    "own_address": "127.0.0.1",
    "psql": "/bin/psql",
    "role": "hawq_mirroring_segment",
    "passfile": "/etc/hawq-mirroring/it's \\ here",
    "masters": [{"address": "mdw", "port": 5432}, {"address": "fd77::12", "port": 5433}],
}
GOOD = {
    "master": "mdw",
    "timeline": 1,
    "lsn": "0/3017F88",
    "summary_state": "Synchronized",
    "system_identifier": "7712689664250374424",
}


@pytest.fixture(scope="module")
def segment() -> t.Any:
    loader = importlib.machinery.SourceFileLoader("segment", PROGRAM)
    spec = importlib.util.spec_from_loader("segment", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def answer(**changed: t.Any) -> str:
    return json.dumps({**GOOD, **changed}) + "\n"


TAKEN = {
    "whole": answer(),
    "a bar in the name": answer(master="m|dw"),
    "a master that has not been told its name": answer(master=None),
    "a master of version 1.0": json.dumps({name: value for name, value in GOOD.items() if name != "system_identifier"}),
}
ODD = {
    "nothing": "",
    "words": "mdw|1|0/1|Synchronized\n",
    "two rows": answer() + answer(),
    "a list": "[]",
    "a flood": answer(master="m" * 5000),
    "depth": "[" * 3000,
    "a timeline in words": answer(timeline="one"),
    "a timeline that is a truth": answer(timeline=True),
    "a timeline below all": answer(timeline=-1),
    "no LSN": answer(lsn=None),
    "an odd LSN": answer(lsn="x/y"),
    "an odd state": answer(summary_state="Fine"),
    "a state that is a list": answer(summary_state=[]),
    "an odd system": answer(system_identifier="ours"),
}


@pytest.mark.parametrize("output", TAKEN.values(), ids=TAKEN)
def test_an_answer_is_remembered_as_it_is_read(segment: t.Any, output: str) -> None:
    found = segment.answer_of(output)
    assert memory.parse(json.dumps(found))[1] is None


@pytest.mark.parametrize("output", ODD.values(), ids=ODD)
def test_an_odd_answer_is_none(segment: t.Any, output: str) -> None:
    assert segment.answer_of(output) is None


def test_libpq_gets_what_it_needs_and_nothing_of_the_environment(
    segment: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: dict[str, t.Any] = {}

    def run(command: list[str], **options: t.Any) -> subprocess.CompletedProcess[str]:
        called.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, answer(), "")

    monkeypatch.setattr(segment.subprocess, "run", run)
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PSQLRC", "/tmp/odd")
    assert segment.register(SETTINGS)["master"] == "mdw"
    assert not any(name.startswith(("PG", "PSQL")) for name in called["env"])
    words = conninfo.parse(called["command"][-1])
    assert (words["host"], words["port"]) == ("mdw,fd77::12", "5432,5433")
    assert (words["user"], words["passfile"]) == (SETTINGS["role"], SETTINGS["passfile"])


def test_a_memory_that_cannot_be_written_ends_nothing(
    segment: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({**SETTINGS, "memory": str(tmp_path / "none/memory.json"), "interval_seconds": 5}))
    monkeypatch.setattr(segment, "register", lambda _settings: {"master": "mdw"})
    monkeypatch.setattr(segment.sys, "argv", ["segment", str(settings)])

    def over(_seconds: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(segment.time, "sleep", over)
    with pytest.raises(KeyboardInterrupt):
        segment.main()
    assert "registered with mdw, which cannot be written down" in capsys.readouterr().out
