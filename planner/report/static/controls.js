/* Buttons on the map: whole plan, full screen, legend on and off, north. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;

  /** A square button with an icon, a name for the eye and the ear, and something to do. */
  planMap.button = function (iconPath, label, onClick) {
    const button = el("button", "plan-button", [planMap.icon(iconPath)]);
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", onClick);
    return button;
  };

  function bar(position, buttons) {
    const control = L.control({ position });
    control.onAdd = () => {
      const box = el("div", "leaflet-bar", buttons);
      L.DomEvent.disableClickPropagation(box);
      return box;
    };
    return control;
  }

  /** Ground width of a pixel in the middle of the map. */
  planMap.metresPerPixel = function (map) {
    const centre = map.getSize().divideBy(2);
    const [west, east] = [centre, centre.add([100, 0])].map((point) => map.containerPointToLatLng(point));
    return map.distance(west, east) / 100;
  };

  function toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  }

  planMap.addButtons = function (view) {
    const { map } = view;
    const buttons = [planMap.button("M3 11 12 4l9 7M6 9v11h12V9", t("zoom_plan"), () => planMap.fitPlan(view))];
    if (document.fullscreenEnabled) {
      buttons.push(planMap.button("M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5", t("fullscreen"), toggleFullscreen));
    }
    bar("topleft", buttons).addTo(map);
    bar("topright", [
      planMap.button("M4 6h16M4 12h16M4 18h16", t("panel"), () => {
        document.body.classList.toggle("panel-hidden");
        map.invalidateSize({ animate: false });
      }),
    ]).addTo(map);

    const north = L.control({ position: "topright" });
    north.onAdd = () => {
      const box = el("div", "north", [planMap.icon("M12 2 6 16l6-4 6 4z"), el("span", "", "N")]);
      box.title = t("north");
      return box;
    };
    north.addTo(map);
    L.control.scale({ position: "bottomleft", imperial: false, maxWidth: 160 }).addTo(map);
  };
})(window.planMap);
