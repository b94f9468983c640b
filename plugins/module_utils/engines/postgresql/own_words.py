# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines in which a server itself says why it has ended, wherever it has logged them.

Sources: PostgreSQL manual, "Error Reporting and Logging" (where and how it logs, current_logfiles).
"""

from __future__ import annotations

import csv
import json
import os
import re
import time
import typing as t

from ...host import files
from ...host.module import Instance
from ...host.run import Runner
from ...values import settings_file
from ...values.text import lines_of
from . import severity

#: so much of the end of a log is read
TAIL = 64 << 10
FINAL, MORE = ("FATAL", "PANIC"), ("DETAIL", "HINT")
#: what a server tells a client, or its own WAL receiver, and goes on
_HARMLESS = re.compile(
    r"the database system is (?:starting up|shutting down|in recovery mode|not yet accepting|not accepting)"
    r"|terminating (?:connection|walreceiver|background worker|logical replication|autovacuum|\S+ process due to admin)"
    r"|authentication failed|no pg_hba\.conf entry|(?:role|database) \".*\" (?:does not exist|is not permitted)"
    r"|could not (?:connect to the primary|receive data from WAL stream|start WAL streaming|send end-of-streaming)"
    r"|too many (?:clients|connections)|remaining connection slots|requested WAL segment|sorry, too many"
    r"|replication terminated by primary|streaming replication receiver|connection to (?:server|client)"
    r"|canceling authentication|must be (?:superuser|replication)|permission denied for database|unsupported frontend"
)
_ERROR_IN_FILE = re.compile(r"in file \"|parameter \"|could not open (?:configuration )?(?:file|directory) \"")
_FILE = re.compile(r"\.conf\b")
#: how each start begins in a log, in any language
_BEGIN = re.compile(r"starting PostgreSQL \d|PostgreSQL \d\S* (?:\([^)]*\) )?on \S+, compiled by ")
#: the same as the harmless words by their codes, which a log for programs has: connection, authorisation, no such
#: database, too many, told to end, cannot connect now (PostgreSQL manual, "PostgreSQL Error Codes")
_HARMLESS_CODES = re.compile(r"08|28|3D000|53300|57P0[135]")


class _Line(t.NamedTuple):
    level: str
    text: str
    #: whether it is in another language, whose words nobody knows here
    foreign: bool = False
    code: str = ""
    #: who has written it; empty where that is not known
    process: str = ""


def of_text(text: str) -> str:
    """Return the last final message in what a server printed or logged, with its details, as sentences; else nothing.

    Errors in the configuration are logged before the message that only counts them.
    """
    return _of(_of_text(text))


def _of_text(text: str) -> list[_Line]:
    return [
        _Line(*found, process=severity.process(line)) for line in lines_of(text) if (found := severity.of_line(line))
    ]


def _of(lines: list[_Line]) -> str:
    others = _others(lines)
    final = [at for at, line in enumerate(lines) if _is_final(line) and line.process not in others]
    last = max(final, default=None)
    if last is None:
        return ""
    first = last
    if "contains errors" in lines[last].text or (lines[last].foreign and _FILE.search(lines[last].text)):
        before = [at for at in range(last) if _is_of_a_file(lines[at])]
        first = before[0] if before else last
    found = [line for line in lines[first:last] if _is_of_a_file(line)][:3]
    found.append(lines[last])
    for line in lines[last + 1 :]:
        if line.level not in MORE:
            break
        found.append(line)
    return " | ".join(f"{line.level}: {line.text.strip()}" for line in found)


def _others(lines: list[_Line]) -> set[str]:
    """Return the processes that have ended without ending the server: of clients, and those that receive WAL.

    In whatever language it logs, the server itself writes how it has started, and names each process whose end is its
    own: "startup process (PID 4713) exited with exit code 1".
    """
    begin = max((at for at, line in enumerate(lines) if _BEGIN.search(line.text)), default=None)
    server = lines[begin].process if begin is not None else ""
    if not server:
        return set()
    named = {each for line in lines[begin:] if line.process == server for each in re.findall(r"\d+", line.text)}
    return {line.process for line in lines[begin:]} - named - {server, ""}


def _is_final(line: _Line) -> bool:
    return line.level in FINAL and not _HARMLESS.search(line.text) and not _HARMLESS_CODES.match(line.code)


def _is_of_a_file(line: _Line) -> bool:
    """Whether it is an error in the configuration; in another language the file's name tells."""
    return bool(_ERROR_IN_FILE.search(line.text) or (line.foreign and _FILE.search(line.text)))


def of(instance: Instance, run: Runner) -> str:
    """Return the same of a server that has ended since its unit was started last, from the journal or its own log."""
    _code, output, _errors = run.root(["journalctl", "--unit", instance.service, "-n", "60", "-o", "cat"], timeout=10)
    lines = lines_of(output)
    begin = max((at for at, line in enumerate(lines) if line.startswith(("Starting ", "Started "))), default=0)
    # of a unit that is restarted again and again the last start has said nothing yet
    return of_text("\n".join(lines[begin:])) or in_logs(instance, run)


def in_logs(instance: Instance, run: Runner) -> str:
    """Return the same from the server's own log: where it collects that, the journal has nothing of it."""
    since = _started(instance, run)
    for path in logs(instance, since):
        found = _of(_lines(path))
        if found:
            return found
    return ""


def _started(instance: Instance, run: Runner) -> float:
    """Return when the unit was started last, in seconds since the epoch; 0 where that is not known."""
    names = "InactiveExitTimestampMonotonic"
    _code, output, _errors = run(["systemctl", "show", instance.service, "--property", names, "--value"], timeout=10)
    ticks = output.strip()
    if not ticks.isdigit() or ticks == "0":
        return 0.0
    return time.time() - (time.clock_gettime(time.CLOCK_MONOTONIC) - int(ticks) / 1e6)


def logs(instance: Instance, since: float) -> list[str]:
    """Return the files that the server may have logged to since then, the newest first."""
    data = instance.data_directory
    named = [line.partition(" ")[2] for line in lines_of(files.text_of(os.path.join(data, "current_logfiles")) or "")]
    places = {os.path.dirname(os.path.join(data, name)) for name in named if name}
    for place in (data, instance.config_directory):
        for name in ("postgresql.conf", "postgresql.auto.conf"):
            told = settings_file.parse(files.text_of(os.path.join(place, name)) or "").get("log_directory")
            places |= {os.path.join(data, told)} if told else set()
    places |= {os.path.join(data, "log"), os.path.join(data, "pg_log")}
    found = {os.path.join(data, name) for name in named if name}
    for place in places:
        found |= {os.path.join(place, name) for name in (os.listdir(place) if os.path.isdir(place) else [])}
    version, cluster = ["", "", *instance.config_directory.rstrip("/").split("/")][-2:]
    # where pg_ctlcluster of Debian lets a server print to
    found |= {f"/var/log/postgresql/postgresql-{version}-{cluster}.log", os.path.join(instance.config_directory, "log")}
    times = {path: os.stat(path).st_mtime for path in found if os.path.isfile(path)}
    return sorted((path for path, at in times.items() if at >= since - 1), key=lambda path: -times[path])[:6]


def _lines(path: str) -> list[_Line]:
    """Return the messages at the end of a log since the server's last start in it."""
    try:
        with files.opened(path) as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL))
            text = file.read(TAIL).decode(errors="replace")
    except OSError:
        return []
    if path.endswith(".csv"):
        found = _of_csv(text)
    elif path.endswith(".json"):
        found = _of_json(text)
    else:
        found = _of_text(text)
    begin = max((at for at, line in enumerate(found) if _BEGIN.search(line.text)), default=0)
    return found[begin:]


def _of_csv(text: str) -> list[_Line]:
    """Severity, message, detail and hint are the columns 12, 14, 15 and 16 (PostgreSQL manual, "Using CSV-Format")."""
    found = []
    for row in csv.reader(lines_of(text)):
        if len(row) > 15:
            level = severity.level(row[11])
            found += [
                _Line(level, row[13], level != row[11], row[12]),
                *(_Line(*each) for each in zip(MORE, row[14:16]) if each[1]),
            ]
    return found


def _of_json(text: str) -> list[_Line]:
    found = []
    for line in lines_of(text):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.get("message"):
            told = str(row.get("error_severity", ""))
            level = severity.level(told)
            found.append(_Line(level, str(row["message"]), level != told, str(row.get("state_code", ""))))
            found += [_Line(level, str(row[level.lower()])) for level in MORE if row.get(level.lower())]
    return found
