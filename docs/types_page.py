# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the page of types: what an observation, a plan and a refusal hold.   Usage: docs/types_page.py FILE

It looks through the pure rooms for typed dicts and named tuples whose fields say what they mean, and describes each by
its own docstring and its fields. `docs/build` runs it.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import types
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "ansible_collections.hawq.mirroring.plugins.module_utils"
ROOMS = ("values", "judge", "report")
BEGIN = """# Types

These are the documents that the parts of the collection hand to each other. The modules return an observation.
Judgement makes a plan or refusals of it. Roles and reports read these. A field that says *optional* may be missing.
"""


def modules() -> t.Iterator[types.ModuleType]:
    """Return every file of the pure rooms."""
    for room in ROOMS:
        package = importlib.import_module(f"{PACKAGE}.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def described(module: types.ModuleType) -> list[type]:
    """Return the types of a file whose fields have meanings, in their order."""
    own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    return [each for each in own if hasattr(each, "__annotations__") and any(map(meaning, hints(each).values()))]


def hints(kind: type) -> dict[str, t.Any]:
    """Return the fields of a type, those of its bases as well."""
    return t.get_type_hints(kind, include_extras=True)


def meaning(hint: t.Any) -> str:
    """Return what a field means, as its annotation says it."""
    if t.get_origin(hint) in (t.Required, t.NotRequired):
        hint = t.get_args(hint)[0]
    return " ".join(each for each in getattr(hint, "__metadata__", ()) if isinstance(each, str))


def name_of(hint: t.Any) -> str:
    """Return a type as people read it."""
    origin, arguments = t.get_origin(hint), t.get_args(hint)
    if origin in (t.Annotated, t.Required, t.NotRequired):
        return name_of(arguments[0])
    if origin in (t.Union, types.UnionType):
        return " or ".join(name_of(each) for each in arguments)
    if origin is t.Literal:
        return " or ".join(f"`{each}`" for each in arguments)
    if origin is list:
        return f"list of {name_of(arguments[0])}"
    if origin is tuple:
        return f"tuple of {', '.join(name_of(each) for each in arguments)}"
    if origin is dict:
        return f"dict of {name_of(arguments[1])}"
    words = {t.Any: "anything", type(None): "null"}
    return words.get(hint) or str(getattr(hint, "__name__", hint))


def section(kind: type) -> str:
    """Return a type with a table of its fields."""
    optional = getattr(kind, "__optional_keys__", frozenset())
    lines = [
        (f"`{name}`" + (" (optional)" if name in optional else ""), name_of(hint), meaning(hint))
        for name, hint in hints(kind).items()
    ]
    cells = [("field", "type", "meaning"), ("---",) * 3, *lines]
    table = "".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |\n" for line in cells)
    return f"\n### {kind.__name__}\n\n{kind.__doc__}\n\n{table}"


def page() -> str:
    """Return the whole page."""
    text = BEGIN
    for module in modules():
        kinds = described(module)
        if kinds:
            title = (module.__doc__ or "").split("\n\n")[0].replace("\n", " ")
            text += f"\n## {module.__name__.removeprefix(PACKAGE + '.')}\n\n{title}\n"
            text += "".join(section(kind) for kind in kinds)
    return text


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "collections"))
    Path(sys.argv[1]).write_text(page())
