"""A map of 10 000 parcels: complete and small; how quick it is stands in the report, not in an assertion."""

import sys
import time

import pytest

from planner.report.map import write_map
from tests.planner.report.plan_builders import context_of, grid_plan

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TIMES = """async () => {
  const { map, parcelLayers } = planMap.view;
  const renderer = map.getRenderer(parcelLayers[0].getLayers()[0]);
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const median = async (change) => {
    const times = [];
    for (const key of ["score", "status", "phase", "score", "phase"]) {
      await frame();
      await frame();
      const start = performance.now();
      change(key);
      renderer._redraw();
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[2];
  };
  return [await median(() => null), await median((key) => planMap.colourBy(planMap.view, key))];
}"""


def test_ten_thousand_parcels(open_map, tmp_path, record_property, capsys):
    plan = grid_plan(columns=100, rows=100, phases=5, vertices=17)
    context = context_of(plan)
    path = tmp_path / "map.html"
    start = time.perf_counter()
    write_map(plan, context, path)
    written = time.perf_counter() - start
    size = path.stat().st_size / 1e6

    page = open_map(path)
    timing = page.evaluate(
        """() => {
          const paint = performance.getEntriesByName("first-contentful-paint")[0];
          return [performance.timing.loadEventEnd - performance.timing.navigationStart, paint ? paint.startTime : NaN];
        }"""
    )
    redraw, recolour = page.evaluate(TIMES)
    drawn = page.evaluate("() => planMap.view.parcelLayers.reduce((n, layers) => n + layers.getLayers().length, 0)")
    figures = {"write_s": written, "size_mb": size, "load_ms": timing[0], "paint_ms": timing[1]}
    figures |= {"redraw_ms": redraw, "recolour_ms": recolour}
    for name, value in figures.items():
        record_property(name, value)
    with capsys.disabled():
        sys.stdout.write(f"\n10 000 parcels: {', '.join(f'{k} {v:.2f}' for k, v in figures.items())}\n")

    assert drawn == len(plan.parcels) == 10_000
    assert size < 10
