# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Installing one of the collection's own programs, with a unit, with a drop-in, or with neither."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files, installation, programs, systemd
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places

SHOWN = {"stale": False, "enabled": "disabled", "active": "inactive"}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What systemd is told; all files lie below a directory of the test."""
    commands: list[list[str]] = []
    monkeypatch.setattr(programs, "path", lambda name: str(tmp_path / name))
    monkeypatch.setattr(programs, "settings_path", lambda name, _service: str(tmp_path / f"{name}.json"))
    real = programs.unit_path
    monkeypatch.setattr(
        programs, "unit_path", lambda name, service: real(name, service) and str(tmp_path / f"{name}.service")
    )
    monkeypatch.setattr(places, "LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(files, "public", files.text_of)
    monkeypatch.setattr(systemd, "unit", lambda run, name: SHOWN)
    return commands


def install(told: list[list[str]], name: str, unit: str | None, act: bool = True) -> dict[str, t.Any]:
    def run(command: list[str], timeout: float = 0) -> tuple[int, str, str]:
        told.append(command[1:])
        return 0, "", ""

    return installation.install(
        t.cast("t.Any", run),
        act,
        name=name,
        service="db.service",
        program="program",
        settings={"a": 1},
        unit=unit,
        started=name in (programs.SEGMENT, programs.GUARD),
        library={"judge/guard.py": "module"} if name == programs.GUARD else {},
    )


GUARD = "hawq-mirroring-guard-db.service"
TOLD: dict[str, list[list[str]]] = {
    programs.PEER: [],
    programs.INTERLOCK: [["daemon-reload"]],
    programs.VIRTUAL_IP: [["daemon-reload"], ["enable", "hawq-mirroring-virtual-ip-db.service"]],
    programs.GUARD: [["daemon-reload"], ["enable", GUARD], ["restart", GUARD]],
    programs.SEGMENT: [
        ["daemon-reload"],
        ["enable", "hawq-mirroring-segment.service"],
        ["restart", "hawq-mirroring-segment.service"],
    ],
}


@pytest.mark.parametrize("name", [*programs.NAMES, programs.GUARD])
def test_what_systemd_is_told(told: list[list[str]], tmp_path: Path, name: str) -> None:
    unit = None if name == programs.PEER else "[Service]\n"
    assert install(told, name, unit, act=False)["changed"]
    assert (told, list(tmp_path.iterdir())) == ([], [])
    assert install(told, name, unit)["changed"]
    assert told == TOLD[name]
    written = [name, f"{name}.json", *([f"{name}.service"] if unit else [])]
    if name == programs.GUARD:
        assert (tmp_path / "library" / "hawq_mirroring" / "judge" / "guard.py").read_text() == "module"
        written.append("library")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(written)


def test_a_guard_reads_its_settings_again_by_itself(
    told: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "etc" / "guard.json"
    monkeypatch.setattr(programs, "settings_path", lambda _name, _service: str(settings))
    install(told, programs.GUARD, "[Service]\n")
    monkeypatch.setattr(systemd, "unit", lambda run, name: {"stale": False, "enabled": "enabled", "active": "active"})
    told.clear()
    settings.write_text("{}")
    assert install(told, programs.GUARD, "[Service]\n")["done"] == [str(settings)]
    assert told == []
    (tmp_path / "library" / "hawq_mirroring" / "judge" / "guard.py").write_text("an older one")
    install(told, programs.GUARD, "[Service]\n")
    assert told == [["restart", GUARD]]


def test_what_sshd_runs_is_installed_once(told: list[list[str]]) -> None:
    install(told, programs.PEER, None)
    again = install(told, programs.PEER, None)
    assert (again["changed"], again["done"]) == (False, [])


def test_the_peer_is_observed_without_a_unit() -> None:
    assert programs.unit_path(programs.PEER, "db.service") == ""
    assert programs.observe(programs.PEER, "db.service")["unit"] is None
