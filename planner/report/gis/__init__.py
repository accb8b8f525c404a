"""The plan for GIS and CAD programs: styles and a project for QGIS, and a package of exchange formats."""

from planner.report.gis.package import write_geopackage, write_gis
from planner.report.gis.project import qgis_project
from planner.report.gis.styles import gpkg_styles, plan_styles

__all__ = ["gpkg_styles", "plan_styles", "qgis_project", "write_geopackage", "write_gis"]
