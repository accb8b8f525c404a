"""The unified social credit code 统一社会信用代码 of firms: its form and its check character."""

from __future__ import annotations

import unicodedata
from typing import Final

import numpy as np
import pandas as pd

from geodata.contract import BoolArray

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters; I, O, S, V and Z are not used."""
_VALUE: Final = {character: value for value, character in enumerate(_ALPHABET)}
_LENGTH: Final = 18
_WEIGHTS: Final = tuple(pow(3, k, 31) for k in range(_LENGTH - 1))


def tidy_code(text: str) -> str:
    """Code as the register writes it: half-width capitals without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def code_fault(code: str) -> str | None:
    """What is wrong with a unified social credit code.

    GB 32100-2015: 18 of 31 characters; with the values 0 to 30 of the first 17 and the weights 3^(i−1) mod 31, the last
    one is (31 − Σ value·weight mod 31) mod 31.

    Parameters
    ----------
    code : str
        As `tidy_code` gives it.

    Returns
    -------
    str or None
        In words; None for a sound code.
    """
    if len(code) != _LENGTH:
        return f"{len(code)} characters instead of {_LENGTH}"
    odd = sorted({character for character in code if character not in _VALUE})
    if odd:
        return f"holds {', '.join(odd)}, which no code has"
    expected = check_character(code[:-1])
    return None if code[-1] == expected else f"ends in {code[-1]}, its check character is {expected}"


def check_character(first_17: str) -> str:
    """Last character of the code that starts with these 17."""
    total = sum(_VALUE[character] * weight for character, weight in zip(first_17, _WEIGHTS, strict=True))
    return _ALPHABET[-total % 31]


def code_faults(codes: pd.Series) -> tuple[list[str], BoolArray]:
    """Faults of a column of tidy codes.

    Parameters
    ----------
    codes : pandas.Series of string
        Missing where there is none: that is no fault of the code.

    Returns
    -------
    (list of str, bool[n])
        ``'code (fault)'`` for each faulty code, once, sorted; and the rows that hold one.
    """
    faults = {code: fault for code in codes.dropna().unique() if (fault := code_fault(str(code))) is not None}
    rows = np.asarray(codes.isin(list(faults)).fillna(False).to_numpy(dtype=bool))
    return sorted(f"{code} ({fault})" for code, fault in faults.items()), rows
