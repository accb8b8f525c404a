"""Reasons of parcels in other languages.

The layer of parcels holds one English sentence per parcel, made by `planner.scoring`, `planner.assemble` and
`planner.indicators`; ``reasons.csv`` holds every template of such a sentence with its translation. Names of rules and
blocks are the user's own words and stay as they are::

    sentence = 'in block ' block ': ' ['filler, '] why | 'locked out by the planner (' why ')' | whole | why
    why      = whole | term ('; ' term)*
    term     = 'a criterion is unknown' | opening name

The English sentence does not mark where a name ends. A name ends here before ``'; '`` and the beginning of a further
term, else at the end: in a rule named ``a; not b`` the ``not`` is read as a template and translated too. No text is
ever lost. A block ends before the first ``': '`` after which a reason follows.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from planner.labels import Labels

_WHOLE: Final = (
    "reason_never",
    "reason_not_worth",
    "reason_low",
    "reason_no_cost",
    "reason_no_amount",
    "reason_not_counted",
    "reason_no_mode",
)
_NAMED: Final = ("reason_not", "reason_undecided", "reason_veto", "reason_excluded_undecided", "reason_excluded")
"""Terms with the name of a rule; what begins like a shorter one stands before it."""
_BLOCK_END: Final = re.compile(r"-\d{2,}: ")


def translated(reason: str, language: str) -> str:
    """A reason in a language.

    Parameters
    ----------
    reason : str
        ``reason`` of a parcel, in English.
    language : str
        ``'en'`` or ``'zh'``.

    Returns
    -------
    str
        The translation; `reason` itself in English, and where it is of no known template: a remark by hand is shown in
        the words it was written in.
    """
    if language == "en":
        return reason
    found = _sentence(reason, Labels.of(language, "reasons"))
    return reason if found is None else found


def is_known(reason: str) -> bool:
    """Whether a reason is of a known template."""
    return _sentence(reason, Labels.of("en", "reasons")) is not None


@cache
def _ends(key: str) -> tuple[str, str]:
    """What stands before and after the last place of an English template."""
    before, _, after = Labels.of("en", "reasons").words[key].rpartition("{0}")
    return before, after


@cache
def _term_begins() -> re.Pattern[str]:
    """``'; '`` before a term."""
    words = Labels.of("en", "reasons").words
    openings = [re.escape(_ends(key)[0]) for key in _NAMED]
    alone = re.escape(words["reason_no_criterion"])
    return re.compile(rf"{re.escape(words['reason_and'])}(?={'|'.join(openings)}|{alone}(?:; |\Z))")


def _inside(text: str, key: str) -> str | None:
    """What stands in the one place of a template; None where the text is of another one."""
    before, after = _ends(key)
    fits = text.startswith(before) and text.endswith(after) and len(text) > len(before) + len(after)
    return text[len(before) : len(text) - len(after)] if fits else None


def _sentence(text: str, labels: Labels) -> str | None:
    opening = Labels.of("en", "reasons").words["reason_in_block"].partition("{0}")[0]
    if text.startswith(opening):
        for end in _BLOCK_END.finditer(text, len(opening)):
            why = _in_block(text[end.end() :], labels)
            if why is not None:
                return labels("reason_in_block", text[len(opening) : end.end() - 2], why)
    locked = _inside(text, "reason_locked_out")
    if locked is not None:
        why = _why(locked, labels)
        return None if why is None else labels("reason_locked_out", why)
    small = _inside(text, "reason_small")
    return _why(text, labels) if small is None else labels("reason_small", small)


def _in_block(text: str, labels: Labels) -> str | None:
    filler = _inside(text, "reason_filler")
    if filler is None:
        return _why(text, labels)
    why = _why(filler, labels)
    return None if why is None else labels("reason_filler", why)


def _why(text: str, labels: Labels) -> str | None:
    english = Labels.of("en", "reasons")
    for key in _WHOLE:
        if text == english(key):
            return labels(key)
    terms = [_term(part, labels) for part in _term_begins().split(text)]
    known = [term for term in terms if term is not None]
    return labels("reason_and").join(known) if len(known) == len(terms) else None


def _term(text: str, labels: Labels) -> str | None:
    if text == Labels.of("en", "reasons")("reason_no_criterion"):
        return labels("reason_no_criterion")
    for key in _NAMED:
        name = _inside(text, key)
        if name is not None:
            return labels(key, name)
    return None
