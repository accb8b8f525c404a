"""What validation found wrong with a configuration, in a planner's words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import pydantic

from geodata.errors import Issue
from planner.config import Config
from planner.config_yaml import Key

Where = Callable[[Key], str]
"""Key → file, line and key."""

_UNION_TAGS: Final = frozenset({"minmax", "rank", "threshold", "str", "int", "float"})
_EXPECTED: Final[Mapping[str, str]] = {
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "path_type": "a path",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a map of keys and values",
    "model_type": "a map of keys and values",
    "model_attributes_type": "a map of keys and values",
    "string_too_short": "text that is not empty",
}
_LIMITS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "at most {}"),
    "too_short": ("min_length", "at least {} in the list"),
    "string_too_long": ("max_length", "at most {} characters"),
}


def issues_of(error: pydantic.ValidationError, tree: dict[str, Any], where: Where) -> list[Issue]:
    """One issue per fault; faults that only follow from one inside them are left out."""
    faults = [(_present(fault["loc"], tree), fault) for fault in error.errors()]
    keys = [key for key, _ in faults]
    issues: dict[str, Issue] = {}
    for key, fault in faults:
        inner = any(len(other) > len(key) and other[: len(key)] == key for other in keys)
        if fault["type"] == "too_short" and inner:
            continue
        issue = _issue(key, fault, where)
        issues.setdefault(issue.where, issue)  # a union reports each of its members
    return list(issues.values())


def _issue(key: Key, fault: Any, where: Where) -> Issue:
    kind, value, context = fault["type"], fault["input"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(key, where)
    if kind == "missing":
        return Issue(where(key), "no such key", "a value, as it has no default", f"Add {str(key[-1])!r}.")
    if kind == "value_error":
        message = str(fault["msg"]).removeprefix("Value error, ")
        return Issue(where(key), f"a contradiction: {message}", "values that fit together", "Correct one of them.")
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        key = (*key, str(context["discriminator"]).strip("'"))
        found = repr(context["tag"]) if kind == "union_tag_invalid" else "nothing"
        known = [
            t.strip().strip("'") for t in str(context.get("expected_tags", "'minmax', 'rank', 'threshold'")).split(",")
        ]
        fix = _did_you_mean(context["tag"], known) if kind == "union_tag_invalid" else "Add it."
        return Issue(where(key), found, f"one of: {', '.join(known)}", fix)
    if kind == "literal_error":
        known = [t.strip("' ") for t in str(context["expected"]).replace(" or ", ",").split(",")]
        return Issue(where(key), _shown(value), f"one of: {', '.join(known)}", _did_you_mean(str(value), known))
    if kind == "string_pattern_mismatch" and key[-1] == "currency":
        return Issue(where(key), _shown(value), "an ISO 4217 code of three capitals, such as CNY", "Correct the code.")
    return Issue(where(key), _shown(value), _expected(kind, context, str(fault["msg"])), _fix(kind, value))


def _expected(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind in _LIMITS:
        name, text = _LIMITS[kind]
        limit = context[name]
        return text.format(f"{limit:g}" if isinstance(limit, float) else limit)
    return _EXPECTED.get(kind, message[:1].lower() + message[1:])


def _fix(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return "Put it in quotes, written as in the data."
    if kind in {"float_type", "int_type"} and isinstance(value, str) and _is_number(value):
        return "Write it without quotes."
    return "Correct the value."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a map of keys and values"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _unknown_key(key: Key, where: Where) -> Issue:
    known = known_keys(key[:-1])
    expected = f"one of: {', '.join(known)}" if known else "no such key"
    return Issue(where(key), f"the unknown key {str(key[-1])!r}", expected, _did_you_mean(str(key[-1]), known))


def _did_you_mean(text: str, known: Sequence[str]) -> str:
    near = nearest(text, known)
    return f"Did you mean {near!r}?" if near is not None else "Remove it, or correct it."


def nearest(text: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant: the closest one, of equals the one that begins alike, else a longer one."""
    names = sorted(known)
    close = difflib.get_close_matches(text, names, n=3) or [n for n in names if n.startswith(f"{text}_")]
    if not close:
        return None
    ratios = {n: difflib.SequenceMatcher(None, n, text).ratio() for n in close}
    return max(close, key=lambda n: (round(ratios[n], 3), _alike(n, text)))


def _alike(a: str, b: str) -> int:
    """Length of the common beginning."""
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _present(location: Sequence[str | int], tree: Any) -> Key:
    """The location without the names of union members, which are not keys."""
    key: list[str | int] = []
    node = tree
    for k, part in enumerate(location):
        inside = (isinstance(node, dict) and part in node) or (isinstance(node, list) and isinstance(part, int))
        if not inside and part in _UNION_TAGS and k > 0:
            continue
        key.append(part)
        node = node[part] if inside else None
    return tuple(key)


def known_keys(key: Key) -> list[str]:
    """Keys of the section at `key`, from the models; none where it is no section."""
    annotation: Any = Config
    for part in key:
        if getattr(annotation, "__origin__", None) is dict:
            annotation = annotation.__args__[1]
        elif not isinstance(part, int):
            annotation = _fields(annotation).get(part)
    return [] if getattr(annotation, "__origin__", None) is dict else list(_fields(annotation))


def _fields(annotation: Any) -> dict[str, Any]:
    """Keys and their annotations of the models in an annotation such as ``tuple[Model, ...]`` or ``A | B``."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return {(f.alias or name): f.annotation for name, f in annotation.model_fields.items()}
    fields: dict[str, Any] = {}
    for part in getattr(annotation, "__args__", ()):
        fields |= _fields(part)
    return fields
