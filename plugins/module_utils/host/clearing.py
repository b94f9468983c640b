# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking away what the collection has put on a host for one cluster, in places that are root's.

What several clusters of a host share stays as long as another one is there: the programs, and the limits of a user.
"""

from __future__ import annotations

import contextlib
import json
import os
import re

from ..values import places
from . import files, programs, systemd
from .errors import MirroringError
from .run import Runner

RUN = "/run"
SETTINGS, UNITS, LIMITS = "/etc/hawq-mirroring", "/etc/systemd/system", "/etc/security/limits.d"
#: where versions before 0.3 kept what is named for the cluster now; the address's unit runs until it is stopped
EARLIER_UNIT = "hawq-mirroring-virtual-ip.service"
EARLIER = (
    *(f"{SETTINGS}/{name}.json" for name in (programs.INTERLOCK, programs.VIRTUAL_IP, programs.PEER)),
    f"{UNITS}/{EARLIER_UNIT}",
    "/run/hawq-mirroring.start",
    "/run/hawq-mirroring-snapshot.log",
    "/run/hawq-mirroring.lock",
    "/run/hawq-mirroring-readers.lock",
    "/var/lib/hawq-mirroring/removed.json",
)
#: what keeps packages from making a cluster of their own
PACKAGES = ("/etc/postgresql-common/createcluster.d/hawq-mirroring.conf",)
#: with what a witness that is no segment logs in; the same in roles/witness
WITNESS_PASSFILE = "witness.pgpass"
LIBEXEC, RECORDS = "/usr/local/libexec", "/var/lib/hawq-mirroring-witness"
UPHOLDS = re.compile(r"^Upholds=hawq-mirroring-\S*\n", re.M)


def earlier(service: str) -> list[str]:
    """Return what earlier versions have left here, and no cluster uses that has not been renewed yet."""
    own = (_own_drop_in(service), _earlier_drop_in(service))
    there = [path for path in (*EARLIER, own[1]) if os.path.lexists(path)]
    if not there:
        return []
    used = "".join(files.public(path) or "" for path in _drop_ins() if path not in own)
    return [path for path in there if path not in used]


def _own_drop_in(service: str) -> str:
    return programs.unit_path(programs.INTERLOCK, service)


def _earlier_drop_in(service: str) -> str:
    """Return the drop-in under the name that others' could be read after."""
    return f"{os.path.dirname(_own_drop_in(service))}/{programs.EARLIER_DROP_IN}"


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _drop_ins() -> list[str]:
    """Return what asks an interlock before the start of a unit."""
    units = [name for name in _names(UNITS) if name.endswith(".service.d")]
    return [f"{UNITS}/{name}/{each}" for name in units for each in (programs.DROP_IN, programs.EARLIER_DROP_IN)]


def other_clusters(service: str) -> list[str]:
    """Return the other clusters of this host."""
    own = places.cluster(service)
    return [name for name in _names(SETTINGS) if name != own and os.path.isdir(f"{SETTINGS}/{name}")]


def _users(service: str) -> set[str]:
    """Return whose servers the other clusters of this host are."""
    found = set()
    for name in other_clusters(service):
        with contextlib.suppress(ValueError, TypeError, KeyError):
            found.add(str(json.loads(files.public(f"{SETTINGS}/{name}/interlock.json") or "null")["user"]))
    return found


def take_away_earlier(run: Runner, act: bool, service: str) -> list[str]:
    """Take away what earlier versions have left; return it."""
    there = earlier(service)
    if act and f"{UNITS}/{EARLIER_UNIT}" in there:
        _systemctl(run, "disable", "--now", EARLIER_UNIT)
    for path in there if act else []:
        _unlink(path)
    return there


def clear_segment(run: Runner, act: bool) -> dict[str, object]:
    """Take away what lets a segment report to its master."""
    unit, memory = programs.unit_name(programs.SEGMENT, ""), "/var/lib/hawq-mirroring-segment"
    doomed = [
        f"{UNITS}/{unit}",
        f"{SETTINGS}/segment.json",
        f"{SETTINGS}/segment.pgpass",
        *(f"{memory}/{name}" for name in _names(memory)),
        programs.path(programs.SEGMENT),
    ]
    done = [path for path in doomed if os.path.lexists(path)]
    if act and f"{UNITS}/{unit}" in done:
        _systemctl(run, "disable", "--now", unit)
    _remove(run, done, [memory, SETTINGS], act)
    return _answer(done)


def clear_guard(run: Runner, act: bool, service: str, which: str) -> dict[str, object]:
    """Take away what lets commits of a cluster wait for its standby: its guard, or a witness with what it has written.

    A host may have the guard of one cluster and be a witness of another one whose server has the same unit elsewhere.
    """
    return _answer(_take_away_guard(run, act, places.cluster(service), (which,)))


def _take_away_guard(run: Runner, act: bool, own: str, which: tuple[str, ...]) -> list[str]:
    """Stop it first. What several clusters of the host, or guard and witness, are run with goes with the last one."""
    units = [f"hawq-mirroring-{name}-{own}.service" for name in which]
    record = f"{RECORDS}-{own}"
    words = _names(record) if programs.WITNESS in which else []
    last = not any(
        each.startswith(tuple(f"hawq-mirroring-{name}-" for name in programs.GUARDS)) and each not in units
        for each in _names(UNITS)
    )
    library = (
        [(place, sorted(names)) for place, _places, names in os.walk(places.LIBRARY, topdown=False)] if last else []
    )
    doomed = [
        *(f"{UNITS}/{unit}" for unit in units),
        *(f"{SETTINGS}/{own}/{name}.json" for name in which),
        *([f"{SETTINGS}/{own}/{WITNESS_PASSFILE}"] if programs.WITNESS in which else []),
        *(f"{record}/{name}" for name in words),
        *([f"{LIBEXEC}/hawq-mirroring-{name}" for name in programs.GUARDS] if last else []),
        *(f"{place}/{name}" for place, names in library for name in names),
    ]
    done = [path for path in doomed if os.path.lexists(path)]
    for unit in units if act else []:
        if f"{UNITS}/{unit}" in done:
            _systemctl(run, "disable", "--now", unit)
    _remove(run, done, [record, f"{SETTINGS}/{own}", *(place for place, _names_ in library), SETTINGS], act)
    return done


def _remove(run: Runner, paths: list[str], directories: list[str], act: bool) -> None:
    """Remove the files, and the directories that are empty then; let systemd know."""
    for path in paths if act else []:
        _unlink(path)
    for directory in directories if act else []:
        with contextlib.suppress(OSError):
            os.rmdir(directory)
    if act and any(path.startswith(UNITS) for path in paths):
        _systemctl(run, "daemon-reload")


def _answer(done: list[str]) -> dict[str, object]:
    return {"changed": bool(done), "done": done, "diff": {"before": "".join(f"{path}\n" for path in done), "after": ""}}


def clear(
    run: Runner, act: bool, *, service: str, user: str, unit: bool, serves: bool, mark: bool
) -> dict[str, object]:
    """Take all of a cluster away.

    ``unit`` says whether the server's unit is the collection's and goes as well. Where the server goes on (``serves``)
    nothing of it is stopped: its unit stays, and so does its address, until the host is booted.
    """
    own, address = places.cluster(service), programs.unit_name(programs.VIRTUAL_IP, service)
    # a witness on the same host is a witness of whoever is the master then
    guard = _take_away_guard(run, act, own, (programs.GUARD,))
    bears_witness = os.path.lexists(f"{UNITS}/hawq-mirroring-{programs.WITNESS}-{own}.service")
    server = f"{UNITS}/{own}.service"
    doomed = [
        f"{UNITS}/{address}",
        _own_drop_in(service),
        *(
            f"{SETTINGS}/{own}/{name}"
            for name in _names(f"{SETTINGS}/{own}")
            if not bears_witness or name not in (f"{programs.WITNESS}.json", WITNESS_PASSFILE)
        ),
        places.permission(service),
        places.snapshot_log(service),
        *([server] if unit and not serves else []),
        *([places.removed(service)] if mark else []),
        *([] if user in _users(service) else [f"{LIMITS}/hawq-{user}.conf"]),
        *(
            []
            if other_clusters(service)
            else [*PACKAGES, *(programs.path(name) for name in programs.NAMES if _spare(name))]
        ),
    ]
    there = [path for path in doomed if os.path.lexists(path) and path not in guard]
    done = [*take_away_earlier(run, act, service), *there]
    before = files.public(server) or ""
    after = UPHOLDS.sub("", before) if unit and serves else before
    if act:
        _stop(run, address, done, serves)
        if server in done:
            _systemctl(run, "disable", f"{own}.service")
    if after != before and files.write(server, after, 0o644, act=act):
        done.append(server)
    drop_in, kept = _own_drop_in(service), [server] if server in done and after != before else []
    _remove(
        run,
        [path for path in done if path not in kept],
        [f"{SETTINGS}/{own}", os.path.dirname(drop_in), SETTINGS, "/var/lib/hawq-mirroring"],
        act,
    )
    return _answer([*guard, *done])


def _spare(name: str) -> bool:
    """Whether nobody needs a program once the last cluster is gone: a segment has one of its own."""
    return name != programs.SEGMENT


def _stop(run: Runner, address: str, done: list[str], serves: bool) -> None:
    """Stop what keeps the address, and so take it off; on the host of a server that goes on only who keeps it ends."""
    if f"{UNITS}/{address}" not in done:
        return
    if not serves:
        _systemctl(run, "disable", "--now", address)
        return
    _systemctl(run, "disable", address)
    _unlink(f"{UNITS}/{address}")
    _systemctl(run, "daemon-reload")  # so that nothing is run any more when it ends
    if systemd.unit(run, address)["active"] == "active":
        _systemctl(run, "kill", "--signal=KILL", address)
        _systemctl(run, "stop", address)  # waits for its end
    with contextlib.suppress(MirroringError):
        _systemctl(run, "reset-failed", address)  # one that has ended well is not known any more
    # systemd does not know any more that this is its unit's
    place = f"{RUN}/{address.removesuffix('.service')}"
    _remove(run, [f"{place}/{name}" for name in _names(place)], [place], act=True)


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _systemctl(run: Runner, *words: str) -> None:
    code, _output, errors = run(["systemctl", *words], timeout=60)
    if code != 0:
        raise MirroringError(
            f"systemctl {' '.join(words)} failed ({' '.join(errors.split())}): look at its unit, then run this again"
        )
