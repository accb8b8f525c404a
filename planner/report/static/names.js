/* Names of zones and blocks on the map: as many as fit without covering each other, on blocks that are large enough. */
"use strict";

(function (planMap) {
  const { el } = planMap;
  const LEAST_PX = 40;

  function marker(latlng, className, lines) {
    const label = el(
      "div",
      "name " + className,
      lines.map((line) => el("span", "", line)),
    );
    const icon = L.divIcon({ className: "name-anchor", html: label, iconSize: null });
    return L.marker(latlng, { icon, interactive: false, keyboard: false, pane: "names" });
  }

  /** Layer groups of names; the caller adds them to the map with what they name. */
  planMap.nameLayers = function (view) {
    const { zones, blocks } = view;
    const zoneNames = zones.rows().map((row) => marker(zones.get("label_at", row), "zone", [zones.get("zone", row)]));
    const blockNames = blocks
      .rows()
      .sort((a, b) => blocks.get("area_mu", b) - blocks.get("area_mu", a))
      .map((row) => {
        const area = blocks.get("area_mu", row);
        const name = marker(blocks.get("label_at", row), "block", [blocks.get("block_id", row), planMap.muUnit(area)]);
        name.widthM = Math.sqrt((area * 10000) / 15);
        return name;
      });
    return { zoneNames: L.layerGroup(zoneNames), blockNames: L.layerGroup(blockNames) };
  };

  /**
   * Hides the name of every block less than LEAST_PX wide (as a square), and every name that would lie on one placed
   * before it: zones first, then blocks from large to small.
   */
  planMap.placeNames = function (view) {
    const { map, names } = view;
    const shown = [names.zoneNames, names.blockNames]
      .filter((group) => map.hasLayer(group))
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

  /* [left, top, right, bottom] of a name on the map, in pixels. */
  function boxOf(map, item) {
    const label = item.getElement().firstChild;
    const at = map.latLngToContainerPoint(item.getLatLng());
    const [w, h] = [label.offsetWidth / 2 + 2, label.offsetHeight / 2 + 1];
    return [at.x - w, at.y - h, at.x + w, at.y + h];
  }
})(window.planMap);
