# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a value has the shape that a type says, and what a type says, for documentation. Pure."""

from __future__ import annotations

import functools
import types
import typing as t

#: X | Y and Optional[X]
_UNIONS = (t.Union, getattr(types, "UnionType", t.Union))
_PLAIN: dict[t.Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}


class Field(t.NamedTuple):
    """One field of a typed dict."""

    name: str
    type: t.Any
    meaning: str
    required: bool


@functools.cache
def fields(kind: t.Any) -> list[Field]:
    """Return the fields of a typed dict, as they were written down."""
    found = []
    for name, hint in t.get_type_hints(kind, include_extras=True).items():
        inner, meaning = _bare(hint), _meaning(hint)
        found.append(Field(name, inner, meaning, name in kind.__required_keys__))
    return found


def _meaning(hint: t.Any) -> str:
    """Return what a field means, with its unit; of a record without a word of its own, what the record is."""
    if t.get_origin(hint) is t.Annotated:
        meaning, *unit = hint.__metadata__
        return f"{meaning} ({', '.join(unit)})" if unit else str(meaning)
    return (hint.__doc__ or "").strip().rstrip(".").lower() if is_record(hint) else ""


def is_record(kind: t.Any) -> bool:
    """Whether a type is a typed dict."""
    return t.is_typeddict(kind) if hasattr(t, "is_typeddict") else hasattr(kind, "__required_keys__")


def name_of(kind: t.Any) -> str:
    """Return a type as people read it."""
    kind = _bare(kind)
    origin, arguments = t.get_origin(kind), t.get_args(kind)
    if kind is t.Any:
        return "anything"
    if kind is type(None):
        return "null"
    if origin in _UNIONS:
        return " or ".join(name_of(each) for each in arguments)
    if origin is t.Literal:
        return " or ".join(repr(each) for each in arguments)
    if origin is list:
        return f"list of {name_of(arguments[0])}"
    if origin is dict:
        return f"dict of {name_of(arguments[1])}"
    return str(kind.__name__)


def misfits(value: t.Any, kind: t.Any, place: str = "") -> list[str]:
    """Return where a value is not what the type says, each with what is wrong; nothing when it fits."""
    kind = _bare(kind)
    origin, arguments = t.get_origin(kind), t.get_args(kind)
    if kind is t.Any:
        return []
    if is_record(kind):
        return _in_record(value, kind, place)
    if origin in _UNIONS:
        return _in_union(value, kind, place)
    if origin is t.Literal:
        return [] if value in arguments else [_wrong(value, kind, place)]
    if origin in (list, dict):
        return _in_container(value, kind, place)
    expected = (type(None),) if kind is type(None) else _PLAIN.get(kind, (kind,))
    fits = isinstance(value, expected) and (kind is bool or not isinstance(value, bool))
    return [] if fits else [_wrong(value, kind, place)]


def _bare(kind: t.Any) -> t.Any:
    """Return a type without its annotation."""
    return t.get_args(kind)[0] if t.get_origin(kind) is t.Annotated else kind


def _wrong(value: t.Any, kind: t.Any, place: str) -> str:
    return f"{place or 'it'} is {type(value).__name__} {value!r:.40}, not {name_of(kind)}"


def _in_record(value: t.Any, kind: t.Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [_wrong(value, kind, place)]
    found, known = [], fields(kind)
    for field in known:
        inner = f"{place}.{field.name}" if place else field.name
        if field.name in value:
            found += misfits(value[field.name], field.type, inner)
        elif field.required:
            found.append(f"{inner} is missing")
    unknown = sorted(set(value) - {field.name for field in known})
    return found + [f"{place}.{name} is unknown" if place else f"{name} is unknown" for name in unknown]


def _in_union(value: t.Any, kind: t.Any, place: str) -> list[str]:
    """Return what is wrong by the alternative that comes closest: that of a record or list, where the value is one."""
    answers = {each: misfits(value, each, place) for each in t.get_args(kind)}
    if [] in answers.values():
        return []
    if isinstance(value, dict):
        close = [answer for each, answer in answers.items() if is_record(each) or t.get_origin(each) is dict]
    else:
        close = [answer for each, answer in answers.items() if isinstance(value, list) and t.get_origin(each) is list]
    return close[0] if close else [_wrong(value, kind, place)]


def _in_container(value: t.Any, kind: t.Any, place: str) -> list[str]:
    origin, arguments = t.get_origin(kind), t.get_args(kind)
    if not isinstance(value, origin):
        return [_wrong(value, kind, place)]
    if origin is list:
        return [text for index, each in enumerate(value) for text in misfits(each, arguments[0], f"{place}[{index}]")]
    found = []
    for key, each in value.items():
        found += misfits(key, arguments[0], f"the key {key!r} of {place}")
        found += misfits(each, arguments[1], f"{place}[{key!r}]")
    return found
