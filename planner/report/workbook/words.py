"""Words of the workbook: in Chinese only Chinese, in English the legal Chinese header beneath the English one."""

from __future__ import annotations

from dataclasses import dataclass

from planner.labels import Labels

AREA = "workbook"


@dataclass(frozen=True)
class Words:
    """Labels of both languages.

    Attributes
    ----------
    own : planner.labels.Labels
        Of the language of the workbook.
    legal : planner.labels.Labels
        Chinese.
    currency : str
        ISO 4217 code of all money.
    """

    own: Labels
    legal: Labels
    currency: str = "CNY"

    @classmethod
    def of(cls, language: str, currency: str = "CNY") -> Words:
        """Words of a workbook in ``'en'`` or ``'zh'``."""
        return cls(Labels.of(language, AREA), Labels.of("zh", AREA), currency)

    @property
    def money_unit(self) -> str:
        """Unit of money: 10 000 of the currency."""
        return self._money_unit(self.own)

    @property
    def language(self) -> str:
        """``'en'`` or ``'zh'``."""
        return self.own.language

    def __call__(self, key: str, *values: object) -> str:
        """The word in the language of the workbook."""
        return self.own(key, *values)

    def head(self, key: str) -> str:
        """Header: in English with the Chinese beneath; ``{0}`` is the unit of money."""
        return self._both(key, "\n")

    def title(self, key: str) -> str:
        """Title: in English with the Chinese behind."""
        return self._both(key, " ")

    def pick(self, zh: str, en: str) -> str:
        """One of two names that stand elsewhere, as a title."""
        return zh if self.language == "zh" or not en or en == zh else f"{en} {zh}"

    def _both(self, key: str, between: str) -> str:
        legal, own = (labels(key, self._money_unit(labels)) for labels in (self.legal, self.own))
        return legal if self.language == "zh" or own == legal else f"{own}{between}{legal}"

    def _money_unit(self, labels: Labels) -> str:
        return labels("wan_yuan") if self.currency == "CNY" else labels("wan_of", self.currency)
