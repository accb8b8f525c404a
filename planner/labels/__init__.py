"""Words of reports in Chinese and English, from tables: ``<area>.csv`` with ``key``, ``en``, ``zh``.

Every report takes its words from here, so that one thing has one name in map, workbook, printed map and GIS layers.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

LANGUAGES: Final = ("en", "zh")


@cache
def label_table(*areas: str) -> Mapping[str, Mapping[str, str]]:
    """Words of some areas by language and key; the area ``common`` is always among them.

    Parameters
    ----------
    *areas : str
        Names of tables, e.g. ``'map'``.

    Raises
    ------
    ValueError
        A key stands in two of the tables, or lacks a language: a defect of the tables.
    """
    words: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for area in ("common", *areas):
        text = (resources.files(__package__) / f"{area}.csv").read_text(encoding="utf-8")
        for row in csv.DictReader(text.splitlines()):
            for language in LANGUAGES:
                if row["key"] in words[language] or not row[language]:
                    raise ValueError(f"label {row['key']!r} of {area}.csv: a second one, or empty in {language!r}")
                words[language][row["key"]] = row[language]
    return words


@dataclass(frozen=True)
class Labels:
    """Words of one language.

    Attributes
    ----------
    language : str
        ``'en'`` or ``'zh'``.
    words : mapping of str to str
    """

    language: str
    words: Mapping[str, str]

    @classmethod
    def of(cls, language: str, *areas: str) -> Labels:
        """Words of some areas."""
        return cls(language, label_table(*areas)[language])

    def __call__(self, key: str, *values: object) -> str:
        """The word of `key`, with ``{0}``, ``{1}`` … replaced; `KeyError` where there is none."""
        return self.words[key].format(*values)

    def has(self, key: str) -> bool:
        """Whether there is a word of that key."""
        return key in self.words
