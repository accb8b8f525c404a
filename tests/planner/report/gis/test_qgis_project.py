"""The project in a real QGIS, without a screen: it opens as on the map, and locks are edited from a list."""

import json
import subprocess
import textwrap

import pyogrio
import pytest

from planner.report import palette
from planner.report.gis import write_gis
from tests.planner.report.gis.test_qgis import qgis_python
from tests.planner.report.printed.world import contents as plan_of

pytestmark = pytest.mark.slow
__all__ = ["qgis_python"]

OPEN = textwrap.dedent(
    """
    import json, os, sys
    from pathlib import Path
    from qgis.core import (QgsApplication, QgsLayerTreeGroup, QgsMapRendererParallelJob, QgsMapSettings, QgsProject,
                           QgsVectorLayer)
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor

    app = QgsApplication([], False)
    app.initQgis()
    told = []
    QgsApplication.messageLog().messageReceived.connect(lambda text, tag, level: told.append([text, tag, int(level)]))
    folder = Path(sys.argv[1])
    project = QgsProject.instance()
    read = project.read(str(folder / "plan.qgz"))
    root = project.layerTreeRoot()
    layers = {}
    for layer in project.mapLayers().values():
        renderer = layer.renderer()
        layers[layer.id()] = {
            "name": layer.name(),
            "valid": layer.isValid(),
            "features": layer.featureCount(),
            "crs": layer.crs().authid(),
            "categories": [c.label() for c in renderer.categories()] if hasattr(renderer, "categories") else [],
            "label": layer.labeling().settings().fieldName if layer.labelsEnabled() else None,
        }
    shown = [node.layer() for node in root.findLayers() if node.isVisible()]
    settings = QgsMapSettings()
    settings.setLayers(shown)
    settings.setExtent(project.viewSettings().defaultViewExtent())
    settings.setOutputSize(QSize(1400, 1000))
    settings.setBackgroundColor(project.backgroundColor())
    settings.setDestinationCrs(project.crs())
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(folder / "plan.png"))
    colours = {}
    for y in range(0, 1000, 2):
        for x in range(0, 1400, 2):
            name = QColor(image.pixel(x, y)).name().upper()
            colours[name] = colours.get(name, 0) + 1

    # the layer of parcels by itself takes its form from the GeoPackage; a lock is written and read back
    parcels = QgsVectorLayer(str(folder / "plan.gpkg") + "|layername=parcels", "parcels", "ogr")
    index = parcels.fields().indexOf("locked")
    widget = parcels.editorWidgetSetup(index)
    form = parcels.editFormConfig()
    feature = next(parcels.getFeatures())
    parcels.startEditing()
    changed = parcels.changeAttributeValue(feature.id(), index, "by P1") and parcels.commitChanges()
    found = {
        "read": read,
        "errors": job.errors(),
        "told": told,
        "title": project.title(),
        "crs": project.crs().authid(),
        "groups": [g.name() for g in root.children() if isinstance(g, QgsLayerTreeGroup)],
        "order": [layer.id() for layer in shown],
        "layers": layers,
        "colours": colours,
        "widget": widget.type(),
        "choices": [list(c.values())[0] for c in widget.config()["map"]] if widget.type() == "ValueMap" else [],
        "alias": parcels.attributeDisplayName(index),
        "editable": [f.name() for i, f in enumerate(parcels.fields()) if not form.readOnly(i)],
        "changed": changed,
        "parcel": feature["parcel_id"],
    }
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # QGIS tears itself down in an order that can crash the interpreter
    """
)


@pytest.fixture(scope="module")
def opened(qgis_python, tmp_path_factory):
    """What QGIS found, the folder, the plan."""
    folder = tmp_path_factory.mktemp("qgis")
    plan = plan_of()
    write_gis(plan, folder, language="zh")
    script = folder / "open.py"
    script.write_text(OPEN, encoding="utf-8")
    done = subprocess.run(
        [qgis_python, script, folder],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), "LANG": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "found.json").read_text(encoding="utf-8")), folder, plan


def test_it_opens_without_a_warning(opened):
    found, _, plan = opened
    assert found["read"]
    assert found["told"] == []
    assert found["errors"] == []
    assert found["crs"] == "EPSG:4547"
    assert found["title"] == "合成数据（非真实地块） · grid"
    assert found["groups"] == ["核查与问题", "用地与管控", "方案"]
    assert all(layer["valid"] and layer["crs"] == "EPSG:4547" for layer in found["layers"].values())
    counts = {key: layer["features"] for key, layer in found["layers"].items()}
    assert counts == {
        "plan_repair_log_polygon": 1,
        "plan_zones_polygon": 2,
        "plan_overlays_polygon": 1,
        "plan_overlays_linestring": 1,
        "plan_barriers_polygon": 1,
        "plan_barriers_linestring": 1,
        "plan_holdouts_polygon": 1,
        "plan_links_linestring": len(plan.tables.links),
        "plan_blocks_polygon": len(plan.tables.blocks),
        "plan_parcels_polygon": len(plan.tables.parcels),
    }


def test_it_looks_like_the_map(opened):
    found, _, _ = opened
    phases = ["P1 · 第1年", "P2 · 第3年", "P3 · 第5年"]
    layers = found["layers"]
    assert layers["plan_parcels_polygon"]["categories"][:3] == phases
    assert layers["plan_blocks_polygon"]["categories"] == phases
    assert '"block_id"' in layers["plan_blocks_polygon"]["label"]
    assert found["order"][-1] == "plan_parcels_polygon"
    assert "plan_repair_log_polygon" not in found["order"]
    for colour in (*palette.phase_colours(3), *palette.MUTED.values(), "#FFFFFF"):
        assert found["colours"].get(colour, 0) > 50, colour
    assert "plan_holdouts_polygon" not in found["order"]
    for colour in (palette.BLOCK_OUTLINE, palette.ZONE, palette.OVERLAP):
        assert found["colours"].get(colour, 0) > 5, colour


def test_a_planner_edits_locks_and_nothing_else(opened):
    found, folder, _ = opened
    assert found["widget"] == "ValueMap"
    assert found["choices"][1:] == ["in", "out", "by P1", "by P2", "by P3", "at P1", "at P2", "at P3"]
    assert found["alias"] == "锁定"
    assert found["editable"] == ["locked"]
    assert found["changed"]
    parcels = pyogrio.read_dataframe(folder / "plan.gpkg", layer="parcels").set_index("parcel_id")
    assert parcels.loc[found["parcel"], "locked"] == "by P1"
