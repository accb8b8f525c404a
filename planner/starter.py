"""First steps: a starter configuration guessed from a parcel file, and the bundled sample."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.crs import choose_metric_crs, to_metric
from geodata.errors import CrsError, DataError, Issue
from geodata.read import read_source
from geodata.spec import SyntheticSpec
from geodata.synthetic import generate
from geodata.vector import VectorSource, open_layer
from geodata.write import write_gpkg, write_text
from planner.config_file import LoadedConfig, load_config
from planner.errors import ConfigError
from planner.optimise.presolve import reachable, usable_graph
from planner.pipeline import prepare_run
from planner.problem import Problem
from planner.progress import ProgressReport, Silent
from planner.run_result import Prepared
from planner.starter_guess import Guesses, guess, nearly_unique_columns, unique_columns
from planner.starter_text import Sizes, Source, industrial_uses, nice, starter_text

_log = logging.getLogger(__name__)

SAMPLE: Final = "qingxi.yaml"
SAMPLE_LAND: Final = "qingxi-synthetic.gpkg"
NUMBER_COLUMN: Final = "parcel_no"
_SHARES: Final = (0.10, 0.25, 0.40)
_ENOUGH: Final = 0.6
"""Blocks may be so large that at least this share of the eligible land can still lie in one."""
_FROM_FILE: Final = f"""\
# The same run from files instead of the generator: what a configuration for your own land looks like.
# Run it:  planner run config.yaml --scenario from-file --out out-from-file/

parcels: {{synthetic: null, path: ../{SAMPLE_LAND}, layer: parcels}}
zones: {{synthetic: false, path: ../{SAMPLE_LAND}, layer: zones}}
barriers:
  - {{name: river, path: ../{SAMPLE_LAND}, layer: river}}
  - {{name: arterial, path: ../{SAMPLE_LAND}, layer: arterial}}
"""


def write_starter(
    parcels: Path,
    out: Path,
    layer: str | None = None,
    crs: str | None = None,
    force: bool = False,
    progress: ProgressReport | None = None,
) -> Path:
    """Write a commented configuration for a parcel file, its guesses marked ``GUESS``.

    Parameters
    ----------
    parcels : Path
        Parcel file. Where none of its columns is unique, a numbered copy is written beside `out` and used. That is
        logged as a warning, as are columns that are nearly unique.
    out : Path
        Configuration to write.
    layer, crs : str, optional
        Layer, and CRS where the file does not say it.
    force : bool
        Replace existing files.
    progress : ProgressReport, optional
        Silent when absent.

    Returns
    -------
    Path
        `out`. It can be loaded, and its land can be prepared: both were done.

    Raises
    ------
    ConfigError
        A file is in the way.
    DataError, CrsError
        The parcels cannot be planned; without a CRS the message says how to declare it.
    """
    progress = progress or Silent()
    _refuse_existing([out], force)
    progress.stage("read")
    source = _read(parcels, layer, crs)
    path = parcels
    attributes = pd.DataFrame(source.gdf.drop(columns="geometry"))
    notes = [f"In {parcels.name}, {near}." for near in nearly_unique_columns(attributes)]
    if not unique_columns(attributes):
        source, path = _numbered(source, out.with_name(f"{parcels.stem}-numbered.gpkg"), force)
        notes.append(
            f"No column of {parcels.name} is unique: {path.name}, written beside this file, is a copy with a running "
            f"number, {NUMBER_COLUMN}."
        )
        layer, crs = None, None
    for note in notes:
        _log.warning(note.replace("beside this file", f"beside {out.name}"))
    layer_frame = source.gdf
    metric = to_metric(layer_frame, choose_metric_crs(layer_frame))
    guesses = guess(layer_frame, shapely.area(metric.geometry.to_numpy()))
    progress.done(
        f"{len(layer_frame)} parcels, {len(guesses.columns)} of {len(layer_frame.columns) - 1} columns guessed"
    )

    where = Source(parcels.stem, _relative(path, out.parent), layer, crs, tuple(notes))
    text = _fitted(pd.DataFrame(layer_frame.drop(columns="geometry")), where, guesses, path, progress)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(text, out)
    return out


def write_sample(directory: Path, force: bool = False) -> Path:
    """Write the bundled sample: its configuration, and the generated land as a file a planner could have.

    Returns
    -------
    Path
        The configuration, ready to run; the scenario ``from-file`` runs it from the land file.

    Raises
    ------
    ConfigError
        A file is in the way.
    """
    config, land_file = directory / "config.yaml", directory / SAMPLE_LAND
    scenario = directory / "scenarios" / "from-file.yaml"
    _refuse_existing([config, land_file, scenario], force)
    scenario.parent.mkdir(parents=True, exist_ok=True)
    text = (resources.files("planner") / "samples" / SAMPLE).read_text(encoding="utf-8")
    land = generate(_synthetic_of(text))
    barriers = {str(name): land.barriers[land.barriers["name"] == name] for name in ("river", "arterial")}
    write_gpkg({"parcels": land.parcels, "zones": land.zones, **barriers}, land_file)
    write_text(_FROM_FILE, scenario)
    write_text(text, config)
    return config


def _synthetic_of(text: str) -> SyntheticSpec:
    """The generator's settings in a configuration."""
    synthetic = _loaded(text).config.parcels.synthetic
    assert synthetic is not None
    return synthetic


def _refuse_existing(paths: list[Path], force: bool) -> None:
    existing = [p for p in paths if p.exists()]
    if existing and (not force or any(p.is_dir() for p in existing)):
        raise ConfigError(
            [Issue(str(p), "a file that exists", "a new file", "Name another one, or add --force.") for p in existing]
        )


def _read(parcels: Path, layer: str | None, crs: str | None) -> VectorSource:
    try:
        return read_source(parcels, layer=layer, crs=crs)
    except CrsError as error:
        raw = open_layer(parcels, layer, parcels.name).gdf
        if crs is not None or raw.crs is not None:
            raise
        raise CrsError(
            Issue(
                parcels.name,
                f"no coordinate reference system{_extent(raw)}",
                "one",
                f"Find out which it is and declare it: planner init {parcels} --crs {_likely_crs(raw)}.",
            )
        ) from error
    except DataError as error:
        raise DataError([replace(issue, fix=_for_command_line(issue.fix)) for issue in error.issues]) from error


def _for_command_line(fix: str) -> str:
    """What to do, where there is no configuration yet."""
    for said, instead in (
        ("`layer: ...`", "--layer NAME"),
        ("Correct `layer`", "Correct --layer"),
        ("leave `layer` out", "leave --layer out"),
        ("Check the path: it is relative to the configuration file.", "Check the path."),
    ):
        fix = fix.replace(said, instead)
    return fix


def _extent(layer: gpd.GeoDataFrame) -> str:
    west, south, east, north = layer.total_bounds
    return f" (coordinates x {west:.10g} to {east:.10g}, y {south:.10g} to {north:.10g})"


def _likely_crs(layer: gpd.GeoDataFrame) -> str:
    """What to try, by the size of the coordinates."""
    west, south, east, north = layer.total_bounds
    if max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90:
        return "EPSG:4490 (degrees; CGCS2000) or EPSG:4326 (degrees; WGS 84)"
    if 25e6 <= west <= east < 46e6:
        return f"EPSG:{4513 + int(west // 1e6) - 25} (CGCS2000 3-degree zone {int(west // 1e6)}, by its prefix)"
    return "EPSG:4547 (CGCS2000 3-degree, CM 114°E, say: metres of which zone?)"


def _numbered(source: VectorSource, path: Path, force: bool) -> tuple[VectorSource, Path]:
    """A copy of the layer with a running number, in the order of the file."""
    _refuse_existing([path], force)
    if NUMBER_COLUMN in source.gdf.columns:
        fix = "Add a column with unique codes in a GIS."
        raise DataError(Issue(source.name, "no column with unique values", "an id for every parcel", fix))
    copy = source.gdf.copy()
    copy.insert(0, NUMBER_COLUMN, [str(k + 1) for k in range(len(copy))])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_gpkg({"parcels": copy}, path)
    return read_source(path), path


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return path.absolute().as_posix()


def _fitted(frame: pd.DataFrame, source: Source, guesses: Guesses, path: Path, progress: ProgressReport) -> str:
    """The text with figures that suit the land; it is loaded and its land prepared on the way."""
    override = f"parcels.path={json.dumps(str(path.absolute()))}"
    by_use = bool(industrial_uses(guesses))
    sizes = Sizes()
    if by_use:
        try:
            sizes = propose(_prepare(starter_text(frame, source, guesses, Sizes(), by_use=True), override, progress))
        except ConfigError:  # the guessed uses leave no eligible parcel
            by_use = False
        by_use = by_use and sizes.available_mu > 0
    if not by_use:
        sizes = propose(_prepare(starter_text(frame, source, guesses, Sizes(), by_use=False), override, progress))
    text = starter_text(frame, source, guesses, sizes, by_use=by_use)
    _loaded(text, override)
    return text


def _prepare(text: str, override: str, progress: ProgressReport) -> Prepared:
    return prepare_run(_loaded(text, override).config, progress)


def _loaded(text: str, *overrides: str) -> LoadedConfig:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, overrides=overrides)


def propose(prepared: Prepared) -> Sizes:
    """Block sizes, targets and budgets that this land can meet.

    Blocks go up to an eighth of the eligible land (60 to 600 mu where the land allows), and the smallest is a tenth of
    that, halved until most of the eligible land can lie in a block. Targets are shares of what can; a mu is worth so
    much that the average eligible one brings twice its cost.
    """
    problem = prepared.problem
    area = problem.area_mu[problem.selectable]
    if not len(area):
        return Sizes(0.0, 1.0, total_mu=float(problem.area_mu.sum()))
    total = float(area.sum())
    largest = max(min(total / 8, 600.0), 2.0 * float(np.quantile(area, 0.95)))
    block_max = nice(largest)
    block_min, available = _least_block(problem, block_max, total)
    targets = tuple(nice(share * available) for share in _SHARES)
    mean_cost = float(problem.cost[problem.selectable].sum()) / total
    mean_score = float(problem.benefit.sum()) / (prepared.config.optimise.weights.value_per_mu * total)
    value = 2.0 * mean_cost / max(mean_score, 0.05)
    steps = np.diff([0.0, *targets])
    budgets = tuple(nice(2.0 * mean_cost * max(step, block_min)) for step in steps)
    return Sizes(
        block_min,
        block_max,
        targets,
        budgets,
        nice(value),
        total_mu=float(problem.area_mu.sum()),
        available_mu=available,
    )


def _least_block(problem: Problem, block_max: float, total: float) -> tuple[float, float]:
    """Smallest block that leaves enough land, and the land that can lie in a block then."""
    block_min = nice(block_max / 10)
    for _ in range(12):
        sized = replace(problem, block_min_mu=block_min, block_max_mu=block_max)
        usable = reachable(sized, usable_graph(sized)).any(axis=1)
        available = float(problem.area_mu[usable].sum())
        if available >= _ENOUGH * total:
            return block_min, available
        block_min = nice(block_min / 2)
    return 0.0, total
