# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The snapshot as a playbook asks for it: started, finished, deployed or absent, whatever an earlier run has left."""

from __future__ import annotations

import os
import time
import typing as t

from ...host import removed_mark
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import text
from . import deployment, observe, snapshot_job, staging

RUNNING = ("copying", "verifying", "done")


def started(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    request: dict[str, t.Any],
    existing_data: str,
    fresh: bool,
    make_room: bool,
    timeout: int,
) -> dict[str, t.Any]:
    """Attach to a fitting job, else clear what is left and start one."""
    mapping = {text.raw(old): text.raw(new) for old, new in request["tablespace_mapping"].items()}
    tablespaces = [text.raw(path) for path in request["tablespaces"]]
    request = {**request, "tablespaces": tablespaces, "tablespace_mapping": mapping}
    found = observe.snapshot(instance, run)
    same = found["request"].get("system_identifier") == request["system_identifier"]
    fits = same and not fresh
    if found["phase"] in RUNNING and fits and (found["phase"] != "done" or found["verified"]):
        return _answer(instance, False, found["phase"], "", attached=True)
    kept = []
    if act:
        snapshot_job.check_source(instance, run, request)
        snapshot_job.clear(instance, run)
        deployment.refuse_running(instance)
        full = [path for path in request["tablespaces"] if os.path.isdir(path) and os.listdir(path)]
        asides = {path: deployment.aside(path) for path in full if existing_data == "keep"}
        kept = list(asides.values())
        snapshot_job.make_place(instance, {**request, "kept": asides})
        for path in full:
            if path in asides:
                deployment.keep_tablespace(path, asides[path], instance.data_directory)
            elif existing_data == "discard":
                deployment.empty_tablespace(path, request.get("tablespace_version"))
        place = instance.data_directory
        if existing_data == "discard" and make_room and os.path.isdir(place) and os.listdir(place):
            deployment.empty_directory(place)
            removed_mark.put(
                place, instance.service
            )  # the master may start without this host's answer while the copy is made
        snapshot_job.start(instance, request, timeout)
    place = staging.Staging(instance.data_directory).place
    return _answer(instance, True, "copying", f"{place} created\n", kept=kept, attached=False)


def _answer(instance: Instance, changed: bool, phase: str, shown: str, **further: t.Any) -> dict[str, t.Any]:
    """Return what every call says, with the diff where something changes."""
    answer = {"changed": changed, "phase": phase, "kept": [], **further}
    answer["copy_directory"] = staging.Staging(instance.data_directory).copy
    answer["copy_id"] = deployment.copy_id(instance)
    return {**answer, "diff": {"before": "", "after": shown}} if changed else answer


def _wait(instance: Instance, run: Runner, phases: tuple[str, ...], seconds: int) -> str:
    """Wait, bounded, while the job is in one of these phases; return its phase."""
    deadline = time.monotonic() + seconds
    phase: str = staging.job(instance, run)["phase"]
    while phase in phases and time.monotonic() < deadline:
        time.sleep(0.1)
        phase = staging.job(instance, run)["phase"]
    return phase


def finished(instance: Instance, run: Runner, act: bool, *, copy_id: int | None, wait: int) -> dict[str, t.Any]:
    """Wait a little, then say how far the job is."""
    phase = _wait(instance, run, ("copying", "verifying"), wait if act else 0)
    if phase == "none" and deployment.is_deployed(instance, copy_id):
        phase = "done"
    return _answer(instance, False, phase, "", log=snapshot_job.log_tail(instance))


def deployed(
    instance: Instance, run: Runner, act: bool, *, copy_id: int | None, existing_data: str
) -> dict[str, t.Any]:
    """Move the copy into place, unless another run has."""
    staged, shown = staging.Staging(instance.data_directory), f"{instance.data_directory} replaced\n"
    if not act:
        return _answer(instance, True, "none", shown)
    if not os.path.isdir(staged.copy):
        if deployment.is_deployed(instance, copy_id):
            return _answer(instance, False, "done", "")
        raise MirroringError(f"{staged.copy} has gone: run the whole playbook again, it will copy anew")
    if not os.path.exists(staged.verified):
        raise MirroringError(f"{staged.copy} is not verified: run the whole playbook again, it will copy anew")
    kept = deployment.deploy(instance, existing_data)
    snapshot_job.forget(instance, run)
    return _answer(instance, True, "done", shown, kept=[kept] if kept else [])


def absent(instance: Instance, run: Runner, act: bool, *, spare: bool, wait: int) -> dict[str, t.Any]:
    """Leave no unit, no half copy; spare what is or may become a whole one."""
    if spare:
        _wait(instance, run, ("copying",), wait if act else 0)
    found = observe.snapshot(instance, run)
    whole = found["phase"] in ("copying", "verifying") or (found["phase"] == "done" and found["verified"])
    if spare and whole:
        return _answer(instance, False, found["phase"], "", goes_on=True)
    changed = found["phase"] != "none" or found["exists"]
    if changed and act:
        snapshot_job.clear(instance, run)
    place = staging.Staging(instance.data_directory).place
    return _answer(instance, changed, "none", f"{place} removed\n", goes_on=False)
