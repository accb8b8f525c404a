"""Towns described by their sites: designated areas of a known sum of parcel land, and the land around them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.synthetic.attributes import WORKING_USES, attributes
from geodata.synthetic.flaws import with_flaws
from geodata.synthetic.frontage import frontage_m
from geodata.synthetic.land import CRS, LABEL, SyntheticLand, no_overlays
from geodata.synthetic.layers import barrier_layer, road_layer
from geodata.synthetic.layout import to_polygons
from geodata.synthetic.outlines import outlines
from geodata.synthetic.town_fitting import fitted_town
from geodata.synthetic.town_model import Outlines, Town
from geodata.synthetic.town_uses import parcel_frame, town_columns


def town_land(town: Town, seed: int) -> SyntheticLand:
    """Generate the land of a town.

    Parameters
    ----------
    town : Town
    seed : int
        Same seed, same land.

    Returns
    -------
    SyntheticLand
        Zones are the named sites; the parcels of each add up to its area to better than 1e-6 mu. Flaws lie outside
        the zones. Without a witness.

    Raises
    ------
    DataError
        A seed that gives no land of the published areas; another one will.
    """
    fitted = fitted_town(town, seed)
    rng = np.random.default_rng([seed, 4])
    frame = parcel_frame(fitted, town, rng)
    frontage = frontage_m(fitted.polygons, list(to_polygons(fitted.drawing.wide_roads, fitted.warp)))
    table = town_columns(attributes(frame, rng), frame, frontage, town, rng)
    parcels = gpd.GeoDataFrame(table, geometry=list(fitted.polygons), crs=CRS)
    around = frame["zone"].isna() & frame["use"].isin(WORKING_USES)
    fit = np.flatnonzero(around & (frame["area_mu"] > 2) & (frame["area_mu"] < 15))
    parcels, flaws = with_flaws(parcels, fit, rng)
    over, label = no_overlays(), LABEL
    if town.outlines is not None:
        inside = frame["designated"].to_numpy(dtype=np.bool_)
        over = outlines(town.outlines, fitted.polygons, inside, np.random.default_rng([seed, 7]))
        label = f"{LABEL} {_about(town.outlines)}"
    return SyntheticLand(
        parcels=parcels,
        zones=gpd.GeoDataFrame({"name": list(fitted.zones)}, geometry=list(fitted.zones.values()), crs=CRS),
        barriers=barrier_layer(fitted.drawing.barriers, fitted.warp),
        roads=road_layer(fitted.drawing.sketch, fitted.warp),
        label=label,
        flaws=flaws,
        witness=pd.DataFrame({"block": pd.Series(dtype="str"), "phase": pd.Series(dtype="int64")}),
        overlays=over,
    )


def _about(wanted: Outlines) -> str:
    """What of the outlines is a fact."""
    return (
        f"The outlines of the town ({wanted.town_km2:g} km²) and of its construction zone "
        f"({wanted.construction_zone_km2:g} km²) are synthetic too; only their areas are facts."
    )
