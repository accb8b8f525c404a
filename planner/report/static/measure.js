/* Measure length and area on the WGS 84 ellipsoid: click points, double-click to finish. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;
  const M2_PER_MU = 10000 / 15;

  /* Metres per degree of latitude and longitude at a latitude (series of the WGS 84 ellipsoid). */
  function metresPerDegree(lat) {
    const phi = (lat * Math.PI) / 180;
    return [
      111132.92 - 559.82 * Math.cos(2 * phi) + 1.175 * Math.cos(4 * phi) - 0.0023 * Math.cos(6 * phi),
      111412.84 * Math.cos(phi) - 93.5 * Math.cos(3 * phi) + 0.118 * Math.cos(5 * phi),
    ];
  }

  /** Length of a line in metres; with `closed` the way back to the first point counts too. */
  planMap.lengthM = function (points, closed) {
    const ends = closed && points.length > 2 ? [...points, points[0]] : points;
    let sum = 0;
    for (let i = 1; i < ends.length; i += 1) {
      const [a, b] = [ends[i - 1], ends[i]];
      const [perLat, perLng] = metresPerDegree((a.lat + b.lat) / 2);
      sum += Math.hypot((b.lat - a.lat) * perLat, (b.lng - a.lng) * perLng);
    }
    return sum;
  };

  /** Area of a ring in m², in a plane that touches the ellipsoid at the ring's mean latitude. */
  planMap.areaM2 = function (points) {
    if (points.length < 3) return 0;
    const origin = points[0];
    const [perLat, perLng] = metresPerDegree(points.reduce((sum, p) => sum + p.lat, 0) / points.length);
    const plane = points.map((p) => [(p.lng - origin.lng) * perLng, (p.lat - origin.lat) * perLat]);
    let twice = 0;
    plane.forEach(([x, y], i) => {
      const [nextX, nextY] = plane[(i + 1) % plane.length];
      twice += x * nextY - nextX * y;
    });
    return Math.abs(twice) / 2;
  };

  function lengthText(metres) {
    return metres < 10000 ? planMap.number(metres, 1) + " m" : planMap.number(metres / 1000, 2) + " km";
  }

  planMap.measureControl = function (view) {
    const { map } = view;
    const style = { color: "#0B3D91", weight: 3, interactive: false };
    const line = L.polyline([], { ...style, dashArray: "6 6" });
    const area = L.polygon([], { ...style, fillColor: "#0B3D91", fillOpacity: 0.15 });
    const dots = L.layerGroup();
    const result = el("div", "measure-result");
    result.setAttribute("role", "status");
    const button = planMap.button("M3 17 17 3l4 4L7 21zM7 13l2 2M10 10l3 3M13 7l2 2", t("measure"), () =>
      view.measuring ? stop() : start(),
    );
    let points = [];

    function say(extra) {
      const closed = points.length > 2;
      const parts = [];
      if (points.length > 1) {
        parts.push(
          el(
            "div",
            "",
            `${t(closed ? "measure_perimeter" : "measure_length")}: ${lengthText(planMap.lengthM(points, closed))}`,
          ),
        );
      }
      if (closed) {
        const m2 = planMap.areaM2(points);
        parts.push(
          el("div", "", `${t("measure_area")}: ${planMap.muUnit(m2 / M2_PER_MU)} (${planMap.number(m2, 0)} m²)`),
        );
      }
      result.replaceChildren(...parts, ...extra);
    }

    function draw() {
      line.setLatLngs(points);
      area.setLatLngs(points.length > 2 ? points : []);
      dots.clearLayers();
      points.forEach((p) =>
        dots.addLayer(L.circleMarker(p, { ...style, radius: 4, fillOpacity: 1, fillColor: "#FFFFFF" })),
      );
    }

    function clear() {
      points = [];
      draw();
      [line, area, dots].forEach((layer) => layer.remove());
      result.replaceChildren();
    }

    function start() {
      clear();
      map.closePopup();
      view.measuring = true;
      map.doubleClickZoom.disable();
      map.getContainer().classList.add("measuring");
      button.classList.add("active");
      button.setAttribute("aria-pressed", "true");
      [area, line, dots].forEach((layer) => layer.addTo(map));
      map.on("click", add).on("dblclick", finish);
      document.addEventListener("keydown", keys);
      say([el("div", "hint", t("measure_hint"))]);
    }

    function end() {
      view.measuring = false;
      map.doubleClickZoom.enable();
      map.getContainer().classList.remove("measuring");
      button.classList.remove("active");
      button.setAttribute("aria-pressed", "false");
      map.off("click", add).off("dblclick", finish);
      document.removeEventListener("keydown", keys);
    }

    function stop() {
      end();
      clear();
    }

    function add(event) {
      const last = points[points.length - 1];
      if (last && map.latLngToContainerPoint(last).distanceTo(event.containerPoint) < 4) return;
      points.push(event.latlng);
      draw();
      say([el("div", "hint", t("measure_hint"))]);
    }

    function finish() {
      end();
      if (points.length < 2) {
        clear();
        return;
      }
      const again = el("button", "link", t("measure_clear"));
      again.type = "button";
      again.addEventListener("click", clear);
      say([again]);
    }

    function keys(event) {
      if (event.key === "Escape") stop();
      else if (event.key === "Enter" && event.target !== button) finish();
    }

    view.stopMeasuring = stop;
    const control = L.control({ position: "topleft" });
    view.controls = { ...view.controls, measure: control };
    control.onAdd = () => {
      const bar = el("div", "leaflet-bar", [button]);
      const box = el("div", "plan-measure", [bar, result]);
      L.DomEvent.disableClickPropagation(box);
      return box;
    };
    return control;
  };
})(window.planMap);
