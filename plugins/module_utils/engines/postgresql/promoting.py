# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The promotion itself: it depends on no session, and sessions that hold it up are ended.

Sources: PostgreSQL manual, "Recovery Control Functions", "pg_ctl" (promote), "Handling Query Conflicts",
"pg_stat_activity" (wait events); ``xlogrecovery.c`` of PostgreSQL: a promotion ends a pause that somebody asked for,
and ends the server where settings are too small; ``xlog.c``: it ends the server, too, where the mark of the standby is
not there to be removed.
"""

from __future__ import annotations

import contextlib
import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from . import answer, backends, database, holding, marking, recovering

STATUS = """
SELECT pg_is_in_recovery() AS in_recovery, pg_last_wal_replay_lsn()::text AS replay_lsn,
       pg_last_wal_receive_lsn()::text AS receive_lsn, current_setting('synchronous_standby_names') AS synchronous,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep_megabytes,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS wal_segment_bytes,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'max_wal_size') AS between_megabytes,
       coalesce(current_setting('synchronized_standby_slots', true), '') AS in_step,
       (SELECT count(*) FROM pg_replication_slots WHERE NOT temporary
        AND NOT (slot_type = 'physical' AND starts_with(slot_name, 'hawq_mirroring_'))) AS others,
       extract(epoch FROM pg_last_xact_replay_timestamp())::float8 AS last_commit_at
"""
SLOTS = "SELECT slot_name FROM pg_replication_slots"
#: what replay waits for, and who holds the lock where it is one; pg_blocking_pids() knows nothing of its process
WAITS = """
SELECT wait_event_type AS kind, wait_event AS event,
       ARRAY(SELECT DISTINCT held.pid FROM pg_locks wanted JOIN pg_locks held USING (locktype, database, relation)
             WHERE wanted.pid = s.pid AND NOT wanted.granted AND held.granted AND held.pid <> s.pid) AS pids
FROM pg_stat_activity s
WHERE backend_type = 'startup'
  AND (wait_event LIKE 'RecoveryConflict%' OR wait_event = 'RecoveryPause' OR wait_event_type IN ('Lock', 'BufferPin'))
"""
#: sessions that may hold anything up; a snapshot is held by open transactions only
OPEN = """
SELECT pid, concat_ws(' ', usename, datname, coalesce(client_addr::text, '[local]'), state) AS title
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)
"""
#: seconds: for a session before the promotion, for its statements, between two looks at what holds it up, for a client
#: that was ended to be gone, for a standby to be promoted by a signal
PATIENCE_SECONDS, STATEMENT_SECONDS, LOOK_SECONDS, ROOM_SECONDS, SIGNAL_SECONDS = 5, 10, 0.5, 0.3, 10
#: codes of answers that may be others in a moment: no room, starting, ended or cancelled by somebody, a lock
PASSING = (answer.TOO_MANY, answer.CANNOT_NOW, "57P01", "57P02", "57014", "55P03")
OTHERS = 5
NO_ROOM, IN_THE_WAY = "no session was free", "it held the replay up"

Found = t.TypeVar("Found")


def keep_wal(cursor: t.Any, slots: list[str], warn: t.Callable[[str], None]) -> list[str]:
    """Keep WAL for the old master's way back and for further standbys; return what was done.

    Before the promotion: the checkpoint that follows that removes the WAL since the last one that both have, which a
    rewind begins with. No new master is held up when there is no slot to be had.
    """
    done = []
    try:
        there = {row["slot_name"] for row in database.rows(cursor, SLOTS)} if slots else set()
        for slot in slots:
            if slot not in there:
                cursor.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
                done.append(f"slot {slot} made")
    except database.Error as error:
        warn(f"no WAL is kept for the old master's way back: {' '.join(str(error).split())}")
    return done


class Crowd:
    """The clients of a server, some of which must go."""

    def __init__(self, instance: Instance) -> None:
        """Nobody had to go yet."""
        self.ended: list[dict[str, t.Any]] = []
        self._instance, self._some = instance, 1

    def note(self, pid: int, title: str, why: str) -> None:
        """Remember one that was told to end; once, however often."""
        if not any(each["pid"] == pid for each in self.ended):
            self.ended.append({"pid": pid, "title": title, "why": why})

    def make_room(self) -> None:
        """End a few sessions of those that lose least, twice as many each time: those who are waiting come first."""
        self._end_some(self._some)
        self._some *= 2

    def make_room_for_others(self) -> None:
        """End a few more where sessions are scarce: what moves the address, and segments, need one of their own."""
        if any(each["why"] == NO_ROOM for each in self.ended):
            self._end_some(OTHERS)

    def _end_some(self, number: int) -> None:
        found = self._clients()
        for client in [each for each in found if each.rank == found[0].rank][:number]:
            self._end(client, NO_ROOM)

    def clear_the_way(self) -> None:
        """End the sessions that do anything, of a server that cannot be asked which of them are in the way."""
        for client in self._clients():
            if client.rank != backends.IDLE:
                self._end(client, IN_THE_WAY)

    def _clients(self) -> list[backends.Client]:
        server = recovering.pid(self._instance)
        return backends.clients(server) if server else []

    def _end(self, client: backends.Client, why: str) -> None:
        server = recovering.pid(self._instance)
        if server and backends.end(server, client):
            self.note(client.pid, client.title, why)


class Promotion:
    """One standby on its way to be the master."""

    def __init__(
        self,
        instance: Instance,
        run: Runner,
        deadline: float,
        seconds: int,
        statement_seconds: int = STATEMENT_SECONDS,
        hold: holding.Hold | None = None,
    ) -> None:
        """Nothing is done yet."""
        self._hold, self._asked = hold or holding.Hold(), False
        self.crowd = Crowd(instance)
        self.deadline = deadline
        self.promoted = self.slots_made = False
        self.promoted_at: float | None = None
        #: why there was no session, and what replay waits for
        self.reason = self._waits_for = ""
        self._instance, self._run, self._seconds = instance, run, seconds
        self._statement_seconds, self._look_at = statement_seconds, 0.0
        self._row: dict[str, t.Any] = {}
        #: the session is kept: where there are few, the next one might be somebody else's
        self._open = contextlib.ExitStack()
        self._cursor: t.Any = None
        self._answer: answer.Answer | None = None
        self._why = ""

    def __enter__(self) -> Promotion:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def promote(self, slots: list[str]) -> list[str]:
        """Promote unless it is a master; return what was done beside that."""
        self._hold_commits()
        try:
            return self._promote(slots)
        except MirroringError:
            # it goes on by itself once it was asked for, unless its server has ended
            if not self._asked or recovering.pid(self._instance) is None:
                holding.take_up(self._instance, self._hold)
            raise

    def _hold_commits(self) -> None:
        """Let the new master confirm no commit before its guard lets it, where it has one."""
        if self._hold.held:
            patience = time.monotonic() + PATIENCE_SECONDS
            found = self._session(lambda cursor: holding.hold(cursor, self._instance), patience, False)
            is_master = found is None and recovering.state(self._instance, self._run) == recovering.MASTER
            if found is None and not is_master and not holding.is_written(self._instance):
                raise MirroringError(
                    f"it could not be set that this standby confirms no commit before its witnesses know of it"
                    f" ({self._why}). Nothing was changed. Mend that, then run the same playbook again"
                )
            if found and not found[0]:
                return  # it is a master
        holding.bequeath(self._instance, self._hold.inherited)

    def _promote(self, slots: list[str]) -> list[str]:
        begun = self._begin(slots)
        if begun is None and recovering.state(self._instance, self._run) == recovering.MASTER:
            return []
        if begun is None:
            self._signal()
        elif not self._row["in_recovery"]:
            return begun
        self.promoted = True
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._wake()
        while not self._is_done(by_session=begun is not None):
            self._look()
            if time.monotonic() > self.deadline:
                raise MirroringError(self._trouble(), ended_sessions=self.crowd.ended)
            time.sleep(0.02 if begun is not None else 0.1)
        self.promoted_at = time.time()
        return begun or []

    def until_session(self, work: t.Callable[[t.Any], Found]) -> Found:
        """Return what comes of it as soon as there is a session."""
        found = self._session(work, self.deadline, True)
        if found is None:
            raise MirroringError(
                f"this server is the master, but no write could be committed ({self._why}). Mend that, then run the"
                " same playbook again: it goes on from there",
                ended_sessions=self.crowd.ended,
            )
        return found[0]

    def _begin(self, slots: list[str]) -> list[str] | None:
        """Ask for the promotion in a session, slots first; return what was done, None where no session could be had."""
        found = self._session(lambda cursor: self._ask(cursor, slots), time.monotonic() + PATIENCE_SECONDS, False)
        if found is None:
            self.reason = self._why
            return None
        made, small = found[0]
        if small:
            raise recovering.smaller(small)
        return made

    def _ask(self, cursor: t.Any, slots: list[str]) -> tuple[list[str], dict[str, int]]:
        """Return what was done, or settings with which a promotion ends the server: then nothing was."""
        self._row = database.rows(cursor, STATUS)[0]
        small = recovering.too_small(self._instance, self._run, cursor) if self._row["in_recovery"] else {}
        if small:
            return [], small
        warnings: list[str] = []
        made = keep_wal(cursor, slots, warnings.append)
        self.slots_made, self.reason = not warnings, "; ".join(warnings)
        if self._row["in_recovery"]:
            marking.again(self._instance)
            holding.pass_over(self._instance, self._hold.skipped)
            cursor.execute("SELECT pg_promote(false)")
            self._asked = True
        return made, {}

    def _signal(self) -> None:
        """Ask for the promotion by a signal. One that has only just begun to start is not taken for a standby yet."""
        if recovering.state(self._instance, self._run) == recovering.RECOVERS and recovering.pid(self._instance):
            marking.again(self._instance)
            holding.pass_over(self._instance, self._hold.skipped)
        command = [self._instance.program("pg_ctl"), "promote", "-W", "-D", self._instance.data_directory]
        until = min(self.deadline, time.monotonic() + SIGNAL_SECONDS)
        code, output, errors = self._run(command, timeout=SIGNAL_SECONDS)
        while code != 0 and time.monotonic() < until:
            self._see_that_it_runs()
            time.sleep(0.2)
            code, output, errors = self._run(command, timeout=SIGNAL_SECONDS)
        if code != 0:
            words = " ".join((errors or output).split())
            raise MirroringError(
                f"the server cannot be promoted: {words}; and it gives no session ({self.reason}). Mend what the log"
                f" says (journalctl -u {self._instance.service}), then run the same playbook again"
            )
        self._asked = True

    def _wake(self) -> None:
        """Let the server's own processes go on that somebody has stopped: the promotion would wait for ever."""
        server = recovering.pid(self._instance)
        if server:
            backends.wake(server)

    def _is_done(self, by_session: bool) -> bool:
        if by_session:
            found = self._attempt(lambda cursor: database.rows(cursor, STATUS)[0])
            if found:
                self._row = found[0]
                return not self._row["in_recovery"]
        self._see_that_it_runs()
        return recovering.state(self._instance, self._run) == recovering.MASTER

    def _see_that_it_runs(self) -> None:
        if recovering.pid(self._instance) is None:
            raise recovering.ended(self._instance, self._run, "the standby was not promoted")

    def _look(self) -> None:
        """See whether anybody is in the way of the replay, and end it; not more often than makes sense."""
        if time.monotonic() < self._look_at:
            return
        found = self._attempt(self._end_blockers)
        if found is None:
            server = recovering.pid(self._instance)
            does = backends.replaying(server) if server else None
            self._waits_for = f"its process says: {does}" if does else ""
            if backends.waits(does):
                self.crowd.clear_the_way()
        self._look_at = time.monotonic() + LOOK_SECONDS

    def _end_blockers(self, cursor: t.Any) -> None:
        waits = database.rows(cursor, WAITS)
        self._waits_for = f"{waits[0]['kind']} {waits[0]['event']}" if waits else ""
        if not waits or waits[0]["event"] == "RecoveryPause":
            return
        known, sessions = set(waits[0]["pids"]), database.rows(cursor, OPEN)
        for session in [each for each in sessions if each["pid"] in known] or sessions:
            cursor.execute("SELECT pg_terminate_backend(%s)", (session["pid"],))
            self.crowd.note(session["pid"], session["title"], IN_THE_WAY)

    def _session(self, work: t.Callable[[t.Any], Found], deadline: float, patient: bool) -> tuple[Found] | None:
        """Return what comes of it in a session, in a tuple; None where there is none by then, which ``_why`` explains.

        Room is made where all sessions are taken: those who are waiting for one may be faster, so that more and more
        are ended, and it is tried without a pause. Without patience any other answer is the last one.
        """
        room_at = 0.0
        while True:
            found = self._attempt(work)
            if found is not None:
                return found
            full = bool(self._answer and self._answer.code == answer.TOO_MANY)
            if full and time.monotonic() >= room_at:
                self.crowd.make_room()
                room_at = time.monotonic() + ROOM_SECONDS
            elif not full and (not patient or (self._answer and self._answer.code not in PASSING)):
                return None
            self._see_that_it_runs()
            if time.monotonic() > deadline:
                return None
            time.sleep(0.005 if full else 0.1)

    def _attempt(self, work: t.Callable[[t.Any], Found]) -> tuple[Found] | None:
        """Return what comes of it, in a tuple, in the session that is open, or in a new one; None where that fails."""
        try:
            if self._cursor is None:
                session = database.session(self._instance, statement_seconds=self._statement_seconds)
                self._cursor = self._open.enter_context(session)
            return (work(self._cursor),)
        except (MirroringError, database.Error) as error:
            self._close()
            words = " ".join(str(error).split())
            if words != self._why:
                self._answer, self._why = answer.of(self._instance, error), words
            return None

    def _close(self) -> None:
        self._cursor = None
        with contextlib.suppress(MirroringError):
            self._open.close()

    def _trouble(self) -> str:
        stands = f": replay stands at {self._row['replay_lsn']} of {self._row['receive_lsn']}" if self._row else ""
        waits = f", and waits ({self._waits_for})" if self._waits_for else ""
        return (
            f"the promotion was asked for {self._seconds} s ago and is not done{stands}{waits}. It goes on by itself:"
            f" look at the server's log (journalctl -u {self._instance.service}), then run this again"
        )
