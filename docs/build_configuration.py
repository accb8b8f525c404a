"""Writes ``configuration.md`` and ``schemas/config.schema.json`` from the configuration models.

Run it after a change of `planner.config` or `geodata.spec`: ``python docs/build_configuration.py``. A test compares the
files with what the models give.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from planner.config import Config
from planner.mode_table import TablesSpec

DOCS: Final = Path(__file__).resolve().parent
PAGE: Final = DOCS / "configuration.md"
SCHEMA: Final = DOCS / "schemas" / "config.schema.json"

INTRODUCTION: Final = """\
# Configuration

<!-- Written by docs/build_configuration.py from the models in planner/config.py and geodata/spec.py. Do not edit. -->

One YAML file holds everything a run needs; `config.yaml` in the root of the repository is a commented example. A key
that is not listed here is an error, and so is a value of the wrong type: nothing is guessed (the text `"12"` is no
number).

**Files and overrides.** A scenario file (`--scenario PATH`, or `--scenario NAME` for the file NAME.yaml in the folder
`scenarios` beside the configuration) is merged over the configuration, `--set a.b=c` over both, flags such as `--seed`
over all. Maps merge, lists replace; `--set` counts list items from 0 (`optimise.phases.0.year=2`). Paths are relative
to the file they stand in, those of `--set` to the configuration file. The merged result is validated as a whole and
written, complete, as `config.resolved.yaml`. Into a section `modes` the tables of modes and figures are put before; see
[modes](modes.md).

**In the tables** *required* means that the key has no default. *expression* is a text in the language of
[expressions](expressions.md). *null* stands for a value that is left out. The same rules stand, for editors and other
programs, in [config.schema.json](schemas/config.schema.json); agreements between keys (years that increase, a stretch
target that is not below its target) are checked only by the program.
"""


def config_schema() -> dict[str, Any]:
    """JSON Schema of the configuration."""
    schema = Config.model_json_schema(by_alias=True)
    modes = schema["$defs"]["ModesSpec"]  # as it is written, before its tables are put in
    modes["properties"] = {**TablesSpec.model_json_schema()["properties"], **modes["properties"]}
    del modes["required"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the land-consolidation planner",
        **{k: v for k, v in schema.items() if k != "title"},
    }


def configuration_page() -> str:
    """Text of ``configuration.md``."""
    schema = config_schema()
    parts = [INTRODUCTION, *_section("", schema, schema["$defs"])]
    return "\n".join(parts)


def _section(path: str, part: Mapping[str, Any], models: Mapping[str, Any]) -> Iterator[str]:
    """One model as a table, then the models inside it."""
    yield f"## {f'`{path}`' if path else 'Top level'}"
    yield ""
    if path and part.get("description"):
        yield _sentence(part["description"])
        yield ""
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    required = set(part.get("required", ()))
    inner: list[tuple[str, str]] = []
    for key, value in part["properties"].items():
        here = f"{path}.{key}" if path else key
        default = "*required*" if key in required else _default(value)
        yield f"| `{key}` | {_cell(_type(value, models))} | {default} | {_cell(_meaning(value, models))} |"
        inner += [(here + suffix, model) for suffix, model in _models_in(value)]
    yield ""
    for here, model in inner:
        yield from _section(_with_variant(here, model, inner), models[model], models)


def _with_variant(path: str, model: str, among: list[tuple[str, str]]) -> str:
    """Path of a section; where several models share it, with the name that tells them apart."""
    return f"{path} ({model.lower()})" if sum(p == path for p, _ in among) > 1 else path


def _models_in(value: Mapping[str, Any], suffix: str = "") -> Iterator[tuple[str, str]]:
    """Models that a value is made of, with how they are reached: ``[]`` for items, ``.NAME`` for named ones."""
    if "$ref" in value:
        yield suffix, value["$ref"].rpartition("/")[2]
    if "items" in value:
        yield from _models_in(value["items"], suffix + "[]")
    if isinstance(value.get("additionalProperties"), Mapping):
        yield from _models_in(value["additionalProperties"], suffix + ".NAME")
    for option in (*value.get("anyOf", ()), *value.get("oneOf", ())):
        yield from _models_in(option, suffix)


def _type(value: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    if "$ref" in value:
        return "map"
    options = [o for o in (*value.get("anyOf", ()), *value.get("oneOf", ())) if o.get("type") != "null"]
    if options:
        return " or ".join(dict.fromkeys(_type(o, models) for o in options))
    if "enum" in value:
        return " or ".join(f"`{v}`" for v in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    kind = value.get("type")
    if kind == "array":
        return f"list of {_plural(_type(value['items'], models))}{_at_least(value)}"
    if kind == "object":
        return f"map of names to {_plural(_type(value['additionalProperties'], models))}{_at_least(value)}"
    if kind == "string" and value.get("maxLength") == 2000:
        return "expression"
    names = {"string": "text", "boolean": "true or false", "integer": "whole number"}
    return f"{names.get(str(kind), str(kind))}{_limits(value)}"


def _at_least(value: Mapping[str, Any]) -> str:
    least = value.get("minItems", value.get("minProperties", 0))
    return ", at least one" if least == 1 else f", at least {least}" if least else ""


def _plural(kind: str) -> str:
    return {"text": "texts"}.get(kind, kind if " or " in kind or kind.endswith("s") else f"{kind}s")


def _limits(value: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    parts = [f"{sign} {value[name]:,}".replace(",", " ") for name, sign in signs.items() if name in value]
    if value.get("pattern"):
        parts.append(f"matching `{value['pattern']}`")
    if value.get("format") == "path":
        parts.append("a path")
    return f", {', '.join(parts)}" if parts else ""


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default", {} if value.get("type") == "object" else None)
    if isinstance(default, dict):
        return "see below" if default else "none"
    if default == []:
        return "none"
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _meaning(value: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    text = value.get("description")
    if text is None:
        text = next((models[model]["description"] for _, model in _models_in(value)), "")
    return _sentence(text)


def _sentence(text: str) -> str:
    """One paragraph, its line ends joined."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write both files."""
    PAGE.write_text(configuration_page(), encoding="utf-8", newline="\n")
    SCHEMA.write_text(json.dumps(config_schema(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
