# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a server has ended, in its own words: out of texts and logs that PostgreSQL 15 really wrote."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import own_words
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from cases import rows
from sessions import instance_in, root_offers

AT = "2026-11-27 15:00:01.512 UTC [4711] "
TWOPHASE = 'FATAL: could not open directory "pg_twophase": No such file or directory'
TEXTS: dict[str, tuple[str, str]] = {
    "nothing": ("", ""),
    "it ended well": (f"{AT}LOG:  database system is shut down\n", ""),
    "a library": (
        f'{AT}FATAL:  could not access file "nosuch": No such file or directory\n'
        f"{AT}LOG:  database system is shut down\n",
        'FATAL: could not access file "nosuch": No such file or directory',
    ),
    "a key, with its details": (
        f'{AT}FATAL:  private key file "server.key" has group or world access\n'
        f"{AT}DETAIL:  File must have permissions u=rw (0600) or less if owned by the database user.\n"
        f"{AT}LOG:  database system is shut down\n",
        'FATAL: private key file "server.key" has group or world access | DETAIL: File must have permissions u=rw'
        " (0600) or less if owned by the database user.",
    ),
    "errors in the configuration": (
        f'{AT}LOG:  unrecognized configuration parameter "work_memory" in file "/d/postgresql.conf" line 817\n'
        f'{AT}FATAL:  configuration file "/d/postgresql.conf" contains errors\n',
        'LOG: unrecognized configuration parameter "work_memory" in file "/d/postgresql.conf" line 817 | FATAL:'
        ' configuration file "/d/postgresql.conf" contains errors',
    ),
    "in German, where only some levels are translated": (
        f"{AT}FATAL:  konnte nicht auf Datei »nosuch« zugreifen: No such file or directory\n{AT}TIPP:  Sieh nach.\n"
        f"{AT}LOG:  Datenbanksystem ist heruntergefahren\n",
        "FATAL: konnte nicht auf Datei »nosuch« zugreifen: No such file or directory | HINT: Sieh nach.",
    ),
    "in French, with a blank before the colon": (
        f"{AT}FATAL:  n'a pas pu mapper la mémoire\n{AT}ASTUCE : Réduire.\n",
        "FATAL: n'a pas pu mapper la mémoire | HINT: Réduire.",
    ),
    "in Russian, errors in the configuration": (
        f'{AT}СООБЩЕНИЕ:  нераспознанный параметр "x" в файле "/d/postgresql.conf" строке 817\n'
        f'{AT}ВАЖНО:  файл конфигурации "/d/postgresql.conf" содержит ошибки\n',
        'LOG: нераспознанный параметр "x" в файле "/d/postgresql.conf" строке 817 | FATAL: файл конфигурации'
        ' "/d/postgresql.conf" содержит ошибки',
    ),
    "in Chinese": (f"{AT}比致命错误还过分的错误:  x\n{AT}日志:  y\n", "PANIC: x"),
    "memory, with a hint": (
        f"{AT}FATAL:  could not map anonymous shared memory: Cannot allocate memory\n{AT}HINT:  Reduce it.\n",
        "FATAL: could not map anonymous shared memory: Cannot allocate memory | HINT: Reduce it.",
    ),
    "what is told to clients is not why": (
        f"{AT}FATAL:  {TWOPHASE[7:]}\n{AT}FATAL:  the database system is starting up\n"
        f'{AT}FATAL:  no pg_hba.conf entry for host "10.9.0.2"\n{AT}LOG:  shutting down\n',
        TWOPHASE,
    ),
    "the WAL receiver's words are not why": (
        f"{AT}FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment has been removed\n",
        "",
    ),
    "a prefix of one's own": (f"mdw postgres@shop|FATAL:  {TWOPHASE[7:]}\n", TWOPHASE),
    "a panic": (
        f"{AT}PANIC:  could not locate a valid checkpoint record\n",
        "PANIC: could not locate a valid checkpoint record",
    ),
    "a statement that only has the word": (f"{AT}STATEMENT:  SELECT 'FATAL:  x'\n", ""),
}


START = f"{AT}LOG:  PostgreSQL 15.14 (Debian 15.14-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit startet\n"
CLIENT, STARTUP = AT.replace("4711", "4720"), AT.replace("4711", "4713")
LOGIN = f"{CLIENT}FATAL:  Passwort-Authentifizierung für Benutzer »bob« fehlgeschlagen\n"
ENDED = f"{AT}LOG:  Datenbanksystem ist heruntergefahren\n"
LIBRARY = "FATAL: konnte nicht auf Datei »nosuch« zugreifen"
TEXTS |= {
    "a client's failed login, in German": (START + LOGIN + ENDED, ""),
    "a client's failed login, in Russian": (
        f"{START}{CLIENT}ВАЖНО:  пользователь 'bob' не прошёл проверку подлинности (по паролю)\n{ENDED}",
        "",
    ),
    "the server's own end, and a client's failed login after it": (
        f"{START}{AT}FATAL:  {LIBRARY[7:]}\n{LOGIN}{ENDED}",
        LIBRARY,
    ),
    "the end of the startup process, and a client's failed login before it and after it": (
        f"{START}{LOGIN}{STARTUP}FATAL:  {LIBRARY[7:]}\n{LOGIN}"
        f"{AT}LOG:  Startprozess (PID 4713) beendete mit Status 1\n{ENDED}",
        LIBRARY,
    ),
    "another prefix": (
        (START + LOGIN + ENDED).replace(AT, "pid=4711 ").replace(CLIENT, "pid=4720 "),
        "",
    ),
    "a prefix that does not tell who": (
        (START + LOGIN + ENDED).replace(AT, "").replace(CLIENT, ""),
        "FATAL: Passwort-Authentifizierung für Benutzer »bob« fehlgeschlagen",
    ),
    "a start that was not seen": (LOGIN + ENDED, "FATAL: Passwort-Authentifizierung für Benutzer »bob« fehlgeschlagen"),
}


@pytest.mark.parametrize(("text", "expected"), rows(TEXTS))
def test_of_a_text(text: str, expected: str) -> None:
    assert own_words.of_text(text) == expected


CSV = (
    '2026-11-27 15:00:01.512 UTC,,,4711,,69.1,{n},,2026-11-27 15:00:01 UTC,,0,{level},58P01,"{text}",,,,,,,,,"",'
    '"startup",,0\n'
)
JSON = '{{"timestamp":"2026-11-27 15:00:01.512 UTC","pid":4711,"error_severity":"{level}","message":"{text}"}}\n'
BEGIN = "starting PostgreSQL 15.14 (Debian 15.14-0+deb12u1) on x86_64-pc-linux-gnu"
PLAIN = AT + "{level}:  {text}\n"


def log_of(row: str, quote: str) -> str:
    """A log with an end of before, and the last start."""
    told = [("FATAL", "an end of before"), ("LOG", BEGIN), ("FATAL", TWOPHASE[7:]), ("LOG", "shutting down")]
    return "".join(row.format(n=n, level=level, text=text.replace('"', quote)) for n, (level, text) in enumerate(told))


LOGS: dict[str, tuple[str, str, bool]] = {
    "stderr": ("log/postgresql-2026.log", log_of(PLAIN, '"'), False),
    "csvlog": ("log/postgresql-2026.csv", log_of(CSV, '""'), False),
    "jsonlog": ("log/postgresql-2026.json", log_of(JSON, '\\"'), False),
    "named by current_logfiles": ("elsewhere/today.log", log_of(PLAIN, '"'), True),
    "an old directory's name": ("pg_log/today.log", log_of(PLAIN, '"'), False),
}


@pytest.mark.parametrize(("name", "text", "named"), rows(LOGS))
def test_of_a_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, text: str, named: bool) -> None:
    instance = instance_in(tmp_path)
    data = Path(instance.data_directory)
    (data / name).parent.mkdir(parents=True)
    (data / name).write_text("x" * 70_000 + "\n" + text)
    if named:
        (data / "current_logfiles").write_text(f"stderr {name}\n")
    journal = "Started hawq-master.service.\nhawq-master.service: Failed with result 'exit-code'.\n"
    root_offers(monkeypatch, run=lambda *_arguments: (0, journal, ""))
    assert own_words.of(instance, Runner()) == TWOPHASE
    monkeypatch.setattr(own_words, "_started", lambda *_arguments: os.stat(data / name).st_mtime + 60)
    assert own_words.of(instance, Runner()) == ""  # it was written before the unit was started last


def test_the_journal_of_the_last_start_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def said(journal: str) -> str:
        root_offers(monkeypatch, run=lambda *_arguments: (0, journal, ""))
        return own_words.of(instance_in(tmp_path), Runner())

    assert said(f"Starting x\n{AT}FATAL:  old\nStarting x\n{AT}FATAL:  new\nStopped x") == "FATAL: new"
    assert said(f"Starting x\n{AT}FATAL:  old\nStarting x\nStopped x") == ""


def test_a_configured_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    instance = instance_in(tmp_path)
    data = Path(instance.data_directory)
    data.mkdir(parents=True, exist_ok=True)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.log").write_text(log_of(PLAIN, '"'))
    (data / "postgresql.conf").write_text(f"log_directory = '{tmp_path}/logs'\n")
    root_offers(monkeypatch, run=lambda *_arguments: (0, "", ""))
    monkeypatch.setattr(own_words, "_started", lambda *_arguments: 0.0)
    assert own_words.of(instance, Runner()) == TWOPHASE


def test_what_is_no_log_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    instance = instance_in(tmp_path)
    logs = Path(instance.data_directory) / "log"
    logs.mkdir(parents=True)
    os.mkfifo(logs / "pipe.log")
    (logs / "a.csv").write_text('1,"2\0\n"')
    (logs / "a.json").write_text("[1]\n{\n7\n")
    (logs / "b.log").write_bytes(b"\xff\xfe\n")
    (logs / "there").mkdir()
    monkeypatch.setattr(own_words, "_started", lambda *_arguments: 0.0)
    monkeypatch.setattr(own_words, "logs", lambda *_arguments: [str(each) for each in logs.iterdir()])
    assert own_words.in_logs(instance, t.cast(t.Any, None)) == ""
