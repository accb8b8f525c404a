/* The picture under the plan: tiles of a web map or a raster in the page, where there is one. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;

  /* Over a picture the plan is drawn so that it shows through. */
  const OVER_OPACITY = 0.62;

  /** What to add to a place as it is drawn, in degrees, to get where it truly is: by two-way interpolation. */
  function wayBack(grid) {
    const [[south, west], [north, east]] = grid.bounds;
    const cells = grid.side - 1;
    const cell = (value) => {
      const at = Math.min(Math.max(value, 0), 1) * cells;
      const i = Math.min(Math.floor(at), cells - 1);
      return [i, at - i];
    };
    return (latlng) => {
      const [row, v] = cell((latlng.lat - south) / (north - south));
      const [column, u] = cell((latlng.lng - west) / (east - west));
      const at = row * grid.side + column;
      const [lat, lng] = [grid.lat, grid.lng].map(
        (of) =>
          ((of[at] * (1 - u) + of[at + 1] * u) * (1 - v) +
            (of[at + grid.side] * (1 - u) + of[at + grid.side + 1] * u) * v) /
          1e8,
      );
      return L.latLng(latlng.lat + lat, latlng.lng + lng);
    };
  }

  /* Lengths and areas are those of the true places. */
  function measureTrue() {
    const { lengthM, areaM2 } = planMap;
    planMap.lengthM = (points, closed) => lengthM(points.map(planMap.trueLatLng), closed);
    planMap.areaM2 = (points) => areaM2(points.map(planMap.trueLatLng));
  }

  /** Where a place on the map truly is, WGS 84. */
  planMap.trueLatLng = (latlng) => latlng;

  function pictures(base) {
    if (base.image) return L.imageOverlay(base.image, base.bounds, { pane: "tilePane" });
    const layers = base.urls.map((url, i) =>
      L.tileLayer(url, {
        subdomains: base.subdomains,
        maxNativeZoom: base.max_zoom,
        maxZoom: 22,
        attribution: base.attribution,
        zIndex: i + 1,
      }),
    );
    return L.layerGroup(layers);
  }

  /** The base map as an entry of the layer list, and a note on the map where the plan is shifted; null without one. */
  planMap.baseMap = function (view) {
    const { base } = view.data;
    if (!base) return null;
    if (base.true) {
      planMap.trueLatLng = wayBack(base.true);
      measureTrue();
    }
    return { key: "base_map", symbol: "picture", group: pictures(base), count: null };
  };

  planMap.baseNote = function (view) {
    const { base } = view.data;
    if (!base || !base.shifted) return;
    if (view.shiftNote) view.shiftNote.remove();
    view.shiftNote = L.control({ position: "bottomright" });
    view.shiftNote.onAdd = () => el("div", "shift-note", t("gcj_note"));
    view.shiftNote.addTo(view.map);
  };

  /** Opacity of the plan, by whether there is a picture under it. */
  planMap.planOpacity = (view, entry) => (entry && view.map.hasLayer(entry.group) ? OVER_OPACITY : 1);
})(window.planMap);
