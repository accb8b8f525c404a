"""What was done or noticed while a source was read or joined, for the report on data quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SourceNote:
    """One thing that a planner should know about a source.

    Attributes
    ----------
    source : str
        File and layer.
    what : str
        In words, e.g. ``'attribute text is GB18030, found out from its bytes'``.
    count : int
        Features (rows) concerned; 0 = the source as a whole.
    items : tuple of str
        Which ones: parcel ids where `are_parcels`, else rows, handles or codes as the owner would look for them. All of
        them, not only the first few.
    are_parcels : bool
        Whether `items` are parcel ids, so that their area can be given.
    warning : bool
        True where a planner should look at it before trusting a plan; False for what is only worth knowing.
    """

    source: str
    what: str
    count: int = 0
    items: tuple[str, ...] = ()
    are_parcels: bool = False
    warning: bool = True

    @classmethod
    def of(
        cls, source: str, what: str, items: Sequence[object], *, are_parcels: bool = False, warning: bool = True
    ) -> SourceNote:
        """A note about these items."""
        return cls(source, what, len(items), tuple(str(i) for i in items), are_parcels, warning)
