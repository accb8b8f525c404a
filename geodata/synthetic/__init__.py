"""Generated village industrial land: seeded, labelled synthetic, for the sample, scenarios and tests."""

from __future__ import annotations

from geodata.spec import SyntheticSpec
from geodata.synthetic.fabric import fabric_land
from geodata.synthetic.land import CRS, LABEL, PARCEL_ID, SyntheticLand
from geodata.synthetic.qingxi import qingxi_land
from geodata.synthetic.town import town_land
from geodata.synthetic.towns import TOWNS

__all__ = ["CRS", "LABEL", "PARCEL_ID", "SyntheticLand", "generate"]


def generate(spec: SyntheticSpec) -> SyntheticLand:
    """Generate land.

    Parameters
    ----------
    spec : geodata.spec.SyntheticSpec
        Case, seed and, for ``fabric``, the number of parcels.

    Returns
    -------
    SyntheticLand
        The same land for the same spec.
    """
    if spec.case == "qingxi":
        return qingxi_land(spec.seed)
    if spec.case == "fabric":
        return fabric_land(spec.n_parcels, spec.seed)
    return town_land(TOWNS[spec.case], spec.seed)
