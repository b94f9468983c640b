# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a standby replays its master's WAL, without a session, and what of its settings holds it up.

Sources: PostgreSQL manual, "Hot Standby" (settings that must not be below the primary's, "Administrator's Overview");
``xlogrecovery.c`` of PostgreSQL: a hot standby with too small a setting pauses, and ends when it is let go on.
"""

from __future__ import annotations

import shlex
import time
import typing as t

from ...host import systemd
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ..table import POSTGRESQL
from . import backends, database, observe, own_words, spaces

if t.TYPE_CHECKING:
    from ...values import observation

#: a replay that has read nothing new for so long has come to the end of what it has
STANDS_SECONDS = 5
SETTINGS = "SELECT name, setting::bigint AS value FROM pg_settings WHERE name = ANY(%s)"
RECOVERS, MASTER = "in archive recovery", "in production"


def state(instance: Instance, run: Runner) -> str:
    """Return the state of the cluster as its control file has it; empty when that cannot be read."""
    return str((observe.control(instance, run) or {}).get("state", ""))


def pid(instance: Instance) -> int | None:
    """Return the server's process."""
    return observe.process(instance, database.postmaster(instance))["pid"]


def last_words(instance: Instance, run: Runner) -> str | None:
    """Return why the server has ended, in its own words where it has logged any, or nothing while it runs."""
    if systemd.unit(run, instance.service)["active"] in ("active", "activating", "reloading"):
        return None
    own = own_words.of(instance, run)
    if own:
        return own
    _code, output, _errors = run.root(["journalctl", "--unit", instance.service, "-n", "4", "-o", "cat"], timeout=10)
    return " | ".join(output.split("\n")).strip(" |")


def has_job(instance: Instance, run: Runner) -> bool:
    """Whether systemd has yet to start, restart or stop the unit."""
    _code, output, _errors = run(["systemctl", "show", instance.service, "--property", "Job", "--value"], timeout=10)
    return output.strip() not in ("", "0")


def start(instance: Instance, run: Runner) -> str:
    """Say what the unit's start waits for, if it does."""
    waits_for = systemd.unit(run, instance.service)["waits_for"]
    return f". Its start waits, and goes on by itself: {waits_for}" if waits_for else ""


def gives_no_sessions(instance: Instance) -> bool:
    """Whether a standby that is ready gives no sessions by its configuration (hot_standby)."""
    return database.postmaster(instance).get("status") == "standby"


class Watch:
    """Looks at a standby that starts, until it has replayed what it holds as far as can be told from outside."""

    def __init__(self, instance: Instance, run: Runner) -> None:
        """Begin to look."""
        self._instance, self._run = instance, run
        self._does: str | None = None
        self._since = time.monotonic()

    def recovers(self) -> bool:
        """Whether it replays, and is ready or stands at the end of what it has: sessions may never come."""
        server = pid(self._instance)
        does = backends.replaying(server) if server else None
        if does != self._does:
            self._does, self._since = does, time.monotonic()
        if does is None or state(self._instance, self._run) != RECOVERS:
            return False
        ready = database.postmaster(self._instance).get("status") in ("ready", "standby")
        return ready or time.monotonic() - self._since >= STANDS_SECONDS


def below(has: t.Mapping[str, int], needed: t.Mapping[str, t.Any]) -> dict[str, int]:
    """Return the settings that are smaller than the master's were, and what those were."""
    return {
        name: int(needed[name])
        for name in POSTGRESQL.standby_at_least
        if name in needed and name in has and has[name] < int(needed[name])
    }


def too_small(instance: Instance, run: Runner, cursor: t.Any) -> dict[str, int]:
    """Return the settings of a running standby that are smaller than its master's by the WAL that it has replayed."""
    rows = database.rows(cursor, SETTINGS, (list(POSTGRESQL.standby_at_least),))
    return below({row["name"]: int(row["value"]) for row in rows}, observe.control(instance, run) or {})


def configured(instance: Instance, run: Runner, names: t.Iterable[str]) -> dict[str, str]:
    """Return what the configuration asks for; raise with the server's words when it cannot be read."""
    found = {}
    for name in names:
        code, output, errors = run([instance.program("postgres"), "-C", name, "-D", instance.config_directory])
        if code != 0:
            raise MirroringError(
                f"the configuration in {instance.config_directory} cannot be read: {' '.join(errors.split())}. Correct"
                " it, then run this again"
            )
        found[name] = output.strip().splitlines()[-1] if output.strip() else ""
    return found


def smaller(wanted: t.Mapping[str, int]) -> MirroringError:
    """Return the refusal to let such a replay go on: that ends the server."""
    words = ", ".join(f"{name} must be at least {value}" for name, value in wanted.items())
    return MirroringError(
        f"replay waits because settings are smaller here than the master's ({words}). Nothing was let go on, because"
        " that would end this server. Run the same playbook again: it sets them in postgresql.auto.conf and restarts"
        " this server first",
        recovery_settings={name: str(value) for name, value in wanted.items()},
    )


def missing_place(instance: Instance, run: Runner) -> observation.Space | None:
    """Return the first place of a tablespace that a stopped standby's WAL needs, and that is none."""
    control = observe.neutral_control(observe.control(instance, run))
    rows = spaces.observe(instance, run, control, observe.histories(instance), True)
    return next((row for row in rows if not row["linked"] and (row["there"] != "directory" or row["trouble"])), None)


def ended(instance: Instance, run: Runner, what: str) -> MirroringError:
    """Return what is said of a server that has ended meanwhile."""
    words = (last_words(instance, run) or "").rstrip(". ") or "no log"
    wanted = _below_on_disk(instance, run)
    if wanted:
        error = smaller(wanted)
        return MirroringError(f"{what}: the server has ended ({words}), {error}", **error.details)
    place = missing_place(instance, run)
    if place:
        by_itself = "Run the same playbook again: it makes that directory first"
        make = f"Make it (install -d -o {instance.user} -m 0700 {shlex.quote(place['path'])}), then run this again"
        return MirroringError(
            f"{what}: its WAL makes a tablespace in {place['path']}, and there is no such directory of"
            f" {instance.user}'s, so the server ends. {make if place['trouble'] or place['only_named'] else by_itself}"
        )
    return MirroringError(
        f"{what}: the server of {instance.service} has ended ({words}). Look at journalctl -u {instance.service} and"
        " mend what it says, then run the same playbook again: it starts the server first"
    )


def _below_on_disk(instance: Instance, run: Runner) -> dict[str, int]:
    """Return the same of a server that has ended, by its configuration; nothing where that is not known."""
    try:
        has = configured(instance, run, POSTGRESQL.standby_at_least)
    except MirroringError:
        return {}
    needed = observe.control(instance, run) or {}
    return below({name: int(value) for name, value in has.items() if value.isdigit()}, needed)
