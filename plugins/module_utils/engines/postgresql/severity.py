# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a server's messages begin: it writes its log in the language of ``lc_messages``, and the levels with it.

Source: the catalogues of messages that come with PostgreSQL (``postgres-15.mo``), all in which a level is translated.
"""

from __future__ import annotations

import re

#: each level, and what it is called in other languages
NAMES = {
    "LOG": ("LOGG", "ЗАПИСУВАННЯ", "СООБЩЕНИЕ", "ჟურნალი", "日志", "로그"),
    "FATAL": ("FATALE", "FATALT", "ВАЖНО", "ФАТАЛЬНО", "ფატალური", "致命错误", "치명적오류"),
    "PANIC": ("PANICO", "PANIK", "ПАНІКА", "ПАНИКА", "პანიკა", "比致命错误还过分的错误", "손상"),
    "ERROR": ("ERREUR", "ERRORE", "FEHLER", "FEL", "ОШИБКА", "ПОМИЛКА", "შეცდომა", "错误", "오류"),
    "WARNING": (
        *(
            "ATTENTION",
            "ATTENZIONE",
            "VARNING",
            "WARNUNG",
            "ПОПЕРЕДЖЕННЯ",
            "ПРЕДУПРЕЖДЕНИЕ",
            "გაფრთხილება",
            "警告",
            "경고",
        ),
    ),
    "NOTICE": ("HINWEIS", "NOTIFICA", "NOTIS", "ЗАМЕЧАНИЕ", "ПОВІДОМЛЕННЯ", "注意", "알림"),
    "DETAIL": (
        *(
            "DETALJ",
            "DETALLE",
            "DETTAGLI",
            "DÉTAIL",
            "ВІДОМОСТІ",
            "ПОДРОБНОСТИ",
            "დეტალები",
            "詳細",
            "详细信息",
            "상세정보",
        ),
    ),
    "HINT": (
        *("ASTUCE", "SUGGERIMENTO", "TIPP", "TIPS", "ПОДСКАЗКА", "УКАЗІВКА", "მინიშნება", "ヒント", "提示", "힌트"),
    ),
    "CONTEXT": (
        *(
            "CONTESTO",
            "CONTEXTE",
            "CONTEXTO",
            "KONTEXT",
            "ZUSAMMENHANG",
            "КОНТЕКСТ",
            "კონტექსტი",
            "上下文",
            "文脈",
            "내용",
        ),
    ),
    "STATEMENT": (
        *("ANWEISUNG", "INSTRUCTION", "ISTRUZIONE", "SATS", "SENTENCIA", "ІНСТРУКЦІЯ", "ОПЕРАТОР", "ოპერატორი"),
        *("文", "语句", "명령 구문"),
    ),
}
LEVELS = {name: level for level, names in NAMES.items() for name in (level, *names)}
#: the longest first, since some begin others
_ANY = "|".join(re.escape(name) for name in sorted(LEVELS, key=len, reverse=True))
#: as in "[%p] ", which is the default, "[%p-%l] " and "pid=%p"
_PROCESS = re.compile(r"\[(\d+)(?:-\d+)?\]|\bpid[=:]\s?(\d+)", re.I)
_LINE = re.compile(rf"^(?:.*?[\s:\]|])?({_ANY})\s?:\s+(.*)$")


def of_line(line: str) -> tuple[str, str, bool] | None:
    """Return level and text of a line of a log, and whether it is in another language; None of another line."""
    found = _LINE.match(line)
    return (LEVELS[found[1]], found[2], found[1] != LEVELS[found[1]]) if found else None


def process(line: str) -> str:
    """Return the number of the process that has written a line, as its prefix says; empty where that does not."""
    found = _LINE.match(line)
    said = _PROCESS.search(line[: found.start(1)]) if found else None
    return (said[1] or said[2]) if said else ""


def level(name: str) -> str:
    """Return a level by what it is called in a log."""
    return LEVELS.get(name.strip(), name)


def is_said(wanted: str, text: str) -> bool:
    """Whether a message of this level stands in a text."""
    return any(name in text for name in (wanted, *NAMES[wanted]))
