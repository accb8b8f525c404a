"""The tight sample and real land as problems: Qingxi, Cambridge, two extracts of the Veneto land cover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import geopandas as gpd

from benchmarks.fabric import CEILING
from benchmarks.places import HERE, REPOSITORY, cache_folder, real_data
from planner.assemble import assemble
from planner.config_file import load_config
from planner.land import prepare
from planner.problem import Problem, Target
from planner.progress import Silent
from planner.scoring import score_parcels

VENETO_SHARES: Final = (0.02, 0.06, 0.12)
"""Cumulative targets as shares of the land a block may contain."""


def problem_of(config_path: Path, overrides: Sequence[str] = (), scenario: str | None = None) -> Problem:
    """What a run of this configuration hands to the optimiser."""
    config = load_config(config_path, scenario, overrides).config
    land = prepare(config, Silent())
    return assemble(score_parcels(land.fields, config.scoring), land.adjacency, config).problem


def qingxi() -> Problem:
    """The bundled sample: 99 % of the land inside the circles is asked for."""
    return problem_of(REPOSITORY / "config.yaml")


def cambridge() -> Problem:
    """Industrial land of a real city."""
    folder = real_data("cambridge_fy13")
    paths = [
        f"parcels.path={(folder / 'ASSESSING_ParcelsFY2013.topojson').as_posix()}",
        f"tables.0.path={(folder / 'TaxFY13.csv').as_posix()}",
    ]
    return problem_of(REPOSITORY / "examples" / "cambridge.yaml", paths)


def thiene() -> Problem:
    """14 communes around an industrial district."""
    return _veneto(real_data("veneto/thiene_cluster.gpkg"))


def padova() -> Problem:
    """98 communes: the test of scale."""
    return _veneto(real_data("veneto/veneto_PD_56559.parquet"))


def _veneto(source: Path) -> Problem:
    """Patches with an id of their own: numbers are unique within a commune only."""
    patches = gpd.read_parquet(source) if source.suffix == ".parquet" else gpd.read_file(source)
    ids = patches["istat"].astype("str") + patches["osm_id"].astype("str")
    copy = cache_folder() / f"{source.stem}-with-ids.parquet"
    copy.parent.mkdir(parents=True, exist_ok=True)
    patches[["landuse", "geometry"]].assign(patch=ids).to_parquet(copy)
    problem = problem_of(HERE / "veneto.yaml", [f"parcels.path={copy.resolve().as_posix()}"])
    return replace(problem, targets=tuple(_targets(problem)))


def _targets(problem: Problem) -> Iterator[Target]:
    usable_mu = float(problem.area_mu[problem.selectable & (problem.area_mu <= problem.block_max_mu)].sum())
    for t, share in enumerate(VENETO_SHARES):
        floor = round(share * usable_mu, 1)
        yield Target(f"P{t + 1}", t, -1, floor, ceiling=round(CEILING * floor, 1))
