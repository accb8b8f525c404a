/* Names of zones and blocks and phases of locks on the map: as many as fit without covering each other. */
"use strict";

(function (planMap) {
  const { el } = planMap;
  const LEAST_PX = 40;
  const LABELS_AT_ONCE = 300;

  const label = (className, lines) =>
    el(
      "div",
      "name " + className,
      lines.map((line) => el("span", "", line)),
    );

  /** Lines of text at a place of the map, which catch no click. */
  planMap.nameMarker = function (latlng, className, lines) {
    const icon = L.divIcon({ className: "name-anchor", html: label(className, lines), iconSize: null });
    return L.marker(latlng, { icon, interactive: false, keyboard: false, pane: "names" });
  };

  const blockLines = (blocks, row) => [blocks.get("block_id", row), planMap.muUnit(blocks.get("area_mu", row))];

  /** Layer groups of names; the caller adds them to the map with what they name. */
  planMap.nameLayers = function (view) {
    const { zones, blocks } = view;
    const zoneNames = zones
      .rows()
      .map((row) => planMap.nameMarker(zones.get("label_at", row), "zone", [zones.get("zone", row)]));
    const blockNames = blocks
      .rows()
      .sort((a, b) => blocks.get("area_mu", b) - blocks.get("area_mu", a))
      .map((row) => {
        const name = planMap.nameMarker(blocks.get("label_at", row), "block", blockLines(blocks, row));
        return Object.assign(name, { row, widthM: Math.sqrt((blocks.get("area_mu", row) * 10000) / 15) });
      });
    return { zoneNames: L.layerGroup(zoneNames), blockNames: L.layerGroup(blockNames) };
  };

  /** Names of blocks in the words of the language that is set. */
  planMap.renameLayers = function (view) {
    view.names.blockNames.eachLayer((name) => {
      const html = label("block", blockLines(view.blocks, name.row));
      name.setIcon(L.divIcon({ className: "name-anchor", html, iconSize: null }));
    });
  };

  /**
   * Hides the name of every block less than LEAST_PX wide (as a square), and every name that would lie on one placed
   * before it: zones first, then blocks from large to small, then phases of locks.
   */
  planMap.placeNames = function (view) {
    const { map, names } = view;
    const shown = [names.zoneNames, names.blockNames, view.lockLabels]
      .filter((group) => group && map.hasLayer(group))
      .flatMap((group) => group.getLayers());
    const boxes = shown.map((item) => boxOf(map, item)); // all sizes are read before any style is written
    const size = map.getSize();
    const placed = [];
    const least = LEAST_PX * planMap.metresPerPixel(map);
    shown.forEach((item, i) => {
      const box = boxes[i];
      const inside = box[2] > 0 && box[3] > 0 && box[0] < size.x && box[1] < size.y;
      const large = item.widthM === undefined || item.widthM >= least;
      const free =
        inside && large && placed.every((p) => box[0] > p[2] || box[2] < p[0] || box[1] > p[3] || box[3] < p[1]);
      item.getElement().firstChild.style.visibility = free ? "visible" : "hidden";
      if (free) placed.push(box);
    });
  };

  const phaseMark = ({ kind, phase }) => (kind === "by" ? "≤ " : "= ") + phase;

  /** Phases of locks on their parcels, where these are large enough for their outlines. */
  planMap.placeLockLabels = function (view) {
    const { map, locks, parcels } = view;
    view.lockLabels.clearLayers();
    if (!view.fine) return;
    const seen = map.getBounds();
    for (const [row, entry] of locks.entries) {
      if (entry.phase === null) continue;
      const at = L.latLngBounds(parcels.latlngs(row).flat(Infinity)).getCenter();
      if (!seen.contains(at)) continue;
      view.lockLabels.addLayer(planMap.nameMarker(at, "lock", [phaseMark(entry)]));
      if (view.lockLabels.getLayers().length === LABELS_AT_ONCE) return;
    }
  };

  /* [left, top, right, bottom] of a name on the map, in pixels. */
  function boxOf(map, item) {
    const label = item.getElement().firstChild;
    const at = map.latLngToContainerPoint(item.getLatLng());
    const [w, h] = [label.offsetWidth / 2 + 2, label.offsetHeight / 2 + 1];
    return [at.x - w, at.y - h, at.x + w, at.y + h];
  }
})(window.planMap);
