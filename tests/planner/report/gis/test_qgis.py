"""The styles in a real QGIS, without a screen."""

import json
import shutil
import subprocess
import textwrap
from dataclasses import replace

import pytest

from geodata.write import write_gpkg
from planner.report import palette
from planner.report.exports import gpkg_layers
from planner.report.gis.styles import gpkg_styles
from tests.planner.report.plan_builders import CRS, context_of, grid_plan

pytestmark = pytest.mark.slow

INSPECT = textwrap.dedent(
    """
    import json, os, sys
    from pathlib import Path
    from qgis.core import QgsApplication, QgsExpression, QgsMapRendererParallelJob, QgsMapSettings, QgsVectorLayer
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor

    app = QgsApplication([], False)
    app.initQgis()
    folder = Path(sys.argv[1])


    def drawn_colours(layer):
        settings = QgsMapSettings()
        settings.setLayers([layer])
        settings.setExtent(layer.extent())
        settings.setOutputSize(QSize(700, 500))
        settings.setBackgroundColor(QColor("#00FF00"))
        settings.setDestinationCrs(layer.crs())
        job = QgsMapRendererParallelJob(settings)
        job.start()
        job.waitForFinished()
        image = job.renderedImage()
        image.save(str(folder / f"{layer.name()}.png"))
        counts = {}
        for y in range(0, 500, 2):
            for x in range(0, 700, 2):
                name = QColor(image.pixel(x, y)).name().upper()
                counts[name] = counts.get(name, 0) + 1
        return counts


    found = {}
    for name in sys.argv[2:]:
        layer = QgsVectorLayer(f"{folder / 'plan.gpkg'}|layername={name}", name, "ogr")
        renderer = layer.renderer()
        categorized = renderer.type() == "categorizedSymbol"
        labels = layer.labeling().settings() if layer.labelsEnabled() else None
        found[name] = {
            "valid": layer.isValid(),
            "features": layer.featureCount(),
            "crs": layer.crs().authid(),
            "type": renderer.type(),
            "categories": [[c.label(), c.symbol().color().name().upper()] for c in renderer.categories()]
            if categorized
            else [],
            "label": labels.fieldName if labels else None,
            "label_error": QgsExpression(labels.fieldName).parserErrorString() if labels else "",
            "drawn": drawn_colours(layer),
        }
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # QGIS tears itself down in an order that can crash the interpreter
    """
)


@pytest.fixture(scope="module")
def qgis_python():
    """An interpreter that can import QGIS; skips where there is none."""
    candidates = [p for p in ("/usr/bin/python3", shutil.which("python3"), shutil.which("python-qgis")) if p]
    for python in dict.fromkeys(candidates):
        tried = subprocess.run([python, "-c", "import qgis.core"], capture_output=True, check=False, timeout=60)
        if tried.returncode == 0:
            return python
    return pytest.skip("no QGIS with Python found (Debian: apt-get install python3-qgis)")


def test_geopackage_opens_in_qgis_in_the_colours_of_the_map(qgis_python, tmp_path):
    plan = grid_plan(columns=12, rows=9)
    plan = replace(plan, barriers=plan.barriers.iloc[:1])
    styles = gpkg_styles(plan, context_of(plan).phases)
    layers = gpkg_layers(plan)
    write_gpkg(layers, tmp_path / "plan.gpkg", styles)
    script = tmp_path / "inspect_styles.py"
    script.write_text(INSPECT, encoding="utf-8")
    done = subprocess.run(
        [qgis_python, script, tmp_path, *styles],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))

    assert set(found) == {"parcels", "blocks", "zones", "links", "barriers", "repair_log"}
    for name, layer in found.items():
        assert layer["valid"]
        assert layer["features"] == len(layers[name])
        assert layer["crs"] == CRS
        assert layer["label_error"] == ""

    phases = palette.phase_colours(3)
    names = [f"P{i + 1} · year {2 * i + 1}" for i in range(3)]
    rest = ["Eligible, not selected", "Not eligible", "Excluded"]
    by_phase = [list(pair) for pair in zip(names, phases, strict=True)]
    by_status = [list(pair) for pair in zip(rest, palette.MUTED.values(), strict=True)]
    assert found["parcels"]["categories"] == by_phase + by_status
    assert found["blocks"]["categories"] == by_phase
    for colour in (*phases, *palette.MUTED.values()):
        assert found["parcels"]["drawn"].get(colour, 0) > 100, colour
    assert found["links"]["drawn"].get(palette.LINK_USED, 0) > 0
    assert found["zones"]["drawn"].get(palette.ZONE, 0) > 0
    assert found["zones"]["label"] == '"zone"'
    assert '"block_id"' in found["blocks"]["label"]
