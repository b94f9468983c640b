# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Installing one of the collection's own programs: the program, its settings, and what makes systemd run it."""

from __future__ import annotations

import json
import os
import typing as t

from . import clearing, files, programs, systemd
from .errors import MirroringError
from .run import Runner


def install(
    run: Runner,
    act: bool,
    *,
    name: str,
    service: str,
    program: str,
    settings: dict[str, t.Any],
    unit: str | None,
    started: bool,
    library: dict[str, str] | None = None,
) -> dict[str, t.Any]:
    """Write what it judges by, program and settings first, then the unit; tell systemd what it does not know yet."""
    os.umask(0o022)  # other users' services read what is installed here
    done: list[str] = []
    unit_file = programs.unit_path(name, service)
    before = programs.observe(name, service)["settings"]
    told = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    texts = {programs.library_path(module): text for module, text in (library or {}).items()}
    texts.update({programs.path(name): program, programs.settings_path(name, service): told})
    if unit_file:
        texts[unit_file] = unit or ""
    for path, text in texts.items():
        if act:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if files.write(path, text, 0o644, act=act):
            done.append(path)
    if name == programs.INTERLOCK:
        done += clearing.take_away_earlier(run, act, service)
    if unit_file:
        done += _tell(run, act, name, service, done, started)
    was = json.dumps(before, indent=2, sort_keys=True) + "\n" if before else ""
    return {"changed": bool(done), "done": done, "diff": {"before": was, "after": told}}


def _tell(run: Runner, act: bool, name: str, service: str, written: list[str], started: bool) -> list[str]:
    """Tell systemd what it does not know yet; return what it was told."""
    unit, unit_file = programs.unit_name(name, service), programs.unit_path(name, service)
    own = name != programs.INTERLOCK
    shown = systemd.unit(run, unit)
    told: list[list[str]] = []
    # a run that was killed may have written what systemd has not read
    if shown["stale"] or any(os.path.dirname(path) == os.path.dirname(unit_file) for path in written):
        told.append(["daemon-reload"])
    if own and shown["enabled"] != "enabled":
        told.append(["enable", unit])
    again = [programs.settings_path(name, service)] if name in programs.GUARDS else []  # they read them by themselves
    if own and started and (set(written) - set(again) or told or shown["active"] != "active"):
        told.append(["restart", unit])
    for words in told if act else []:
        code, _output, errors = run(["systemctl", *words], timeout=60)
        if code != 0:
            raise MirroringError(
                f"systemctl {' '.join(words)} failed ({' '.join(errors.split())}): look at {unit_file}, then run this"
                " again"
            )
    return [" ".join(words) for words in told]
