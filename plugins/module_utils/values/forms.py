# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values as people give them: what ``-e key=value`` gives is text, whatever is meant. Pure."""

from __future__ import annotations

import json
import re
import typing as t

#: what a value of a type must be, as people read it
WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": 'a list, such as a,b or ["a", "b"]',
    "dict": 'names with their values, such as {"name": "value"}',
}
#: a number that nobody means, and that what takes it may not hold
HIGHEST = 2**31 - 1


def as_list(value: t.Any) -> t.Any:
    """Return a list where a text stands for one: JSON, or names with commas between them. All else stays."""
    found = _json(value, "[")
    if isinstance(found, str):
        return [name.strip() for name in found.split(",") if name.strip()]
    return found


def as_dict(value: t.Any) -> t.Any:
    """Return names with their values where a text stands for them: JSON. All else stays."""
    found = _json(value, "{")
    return {} if found == "" else found


def meant(value: t.Any, kind: str) -> t.Any:
    """Return a value for an option of this type, where a text can be read as one; else the value as it is."""
    convert = {"list": as_list, "dict": as_dict, "int": _number, "float": _decimal}.get(kind)
    return convert(value) if convert else value


def fits(value: t.Any, kind: str) -> bool:
    """Whether a value, read by ``meant``, can be one of this type at all; the argument's spec says the rest."""
    wanted: dict[str, t.Any] = {"int": int, "float": (int, float), "list": list, "dict": dict}
    return isinstance(value, wanted.get(kind, object)) and not (kind in ("int", "float") and isinstance(value, bool))


def sentence(name: str, value: t.Any, option: t.Mapping[str, t.Any]) -> str:
    """Return why a value does not fit an option."""
    kind = option.get("type", "str")
    choices = option.get("choices")
    if choices:
        return f"{name} is {value!r}, and must be one of: {', '.join(map(str, choices))}"
    return f"{name} is {value!r}, and must be {WORDS.get(kind, 'a text')}"


def bare(value: t.Any) -> str:
    """Return a value as a shell takes it: a text without quotes, one line for each of a list, else JSON."""
    if isinstance(value, list) and not any(isinstance(each, (list, dict)) for each in value):
        return "\n".join(map(bare, value))
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _number(value: t.Any) -> t.Any:
    """Return a text of digits as a number."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}\s*", value):
        return int(value)
    return value


def _decimal(value: t.Any) -> t.Any:
    """Return a text of digits, with or without a point among them, as a number."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}(\.\d{1,9})?\s*", value):
        return float(value)
    return value


def _json(value: t.Any, begin: str) -> t.Any:
    if not isinstance(value, str):
        return value
    value = value.strip()
    if not value.startswith(begin):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
