/* Buttons, popups and the keyboard; and all controls anew, in another language. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;

  /* A popup: its content may fill this share of the map's height, its frame and tip stand around that. */
  const POPUP_SHARE = 0.56;
  const POPUP_WIDTH = 340;
  const FRAME_PX = 62;

  /** A square button with an icon, a name for the eye and the ear, and something to do. */
  planMap.button = function (iconPath, label, onClick) {
    const button = el("button", "plan-button", [planMap.icon(iconPath)]);
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", onClick);
    return button;
  };

  /** Puts a control on the map, in the place of the one that stood there under the same name. */
  function place(view, name, control, former = (view.controls || {})[name]) {
    const next = former ? former.getContainer().nextSibling : null;
    if (former) former.remove();
    control.addTo(view.map);
    const box = control.getContainer();
    if (former) box.parentNode.insertBefore(box, next);
    view.controls = { ...view.controls, [name]: control };
  }

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

  /** Shows or hides the panel beside the map. */
  planMap.showPanel = function (view, shown) {
    document.body.classList.toggle("panel-hidden", !shown);
    view.map.invalidateSize({ animate: false });
  };

  function languageButton(view) {
    const other = planMap.language() === "zh" ? "en" : "zh";
    const button = planMap.textButton("plan-button language", t("switch_language"), () => {
      const focused = document.activeElement === button;
      planMap.switchLanguage(view, other);
      if (focused) document.querySelector(".plan-button.language").focus();
    });
    button.lang = other;
    button.title = t("switch_language_label");
    button.setAttribute("aria-label", t("switch_language_label"));
    return button;
  }

  planMap.addButtons = function (view) {
    const { map } = view;
    const buttons = [planMap.button("M3 11 12 4l9 7M6 9v11h12V9", t("zoom_plan"), () => planMap.fitPlan(view))];
    if (document.fullscreenEnabled) {
      buttons.push(planMap.button("M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5", t("fullscreen"), toggleFullscreen));
    }
    const lock = planMap.button("M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11M12 14.5v2", t("lock_mode"), () =>
      planMap.setLockMode(view, !view.lockMode),
    );
    lock.id = "plan-lock-mode";
    lock.setAttribute("aria-pressed", String(Boolean(view.lockMode)));
    lock.classList.toggle("active", Boolean(view.lockMode));
    buttons.push(lock);
    place(view, "buttons", bar("topleft", buttons));

    const panel = planMap.button("M4 6h16M4 12h16M4 18h16", t("panel"), () =>
      planMap.showPanel(view, document.body.classList.contains("panel-hidden")),
    );
    place(view, "language", bar("topright", [languageButton(view)]));
    place(view, "panel", bar("topright", [panel]));

    const north = L.control({ position: "topright" });
    north.onAdd = () => {
      const box = el("div", "north", [planMap.icon("M12 2 6 16l6-4 6 4z"), el("span", "", "N")]);
      box.title = t("north");
      return box;
    };
    place(view, "north", north);
    place(view, "scale", L.control.scale({ position: "bottomleft", imperial: false, maxWidth: 160 }));
    nameMap(map);
  };

  /* Leaflet's own parts speak English: they get names from our tables. */
  function nameMap(map) {
    const box = map.getContainer();
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", t("map_label"));
    for (const way of ["in", "out"]) {
      const button = box.querySelector(".leaflet-control-zoom-" + way);
      if (!button) continue;
      button.title = t("zoom_" + way);
      button.setAttribute("aria-label", t("zoom_" + way));
    }
  }

  /** Search, buttons, measuring, names, locks and an open popup in the words of the language that is set. */
  planMap.rebuildControls = function (view) {
    view.stopMeasuring();
    const { search, measure } = view.controls;
    place(view, "search", planMap.searchControl(view), search);
    planMap.addButtons(view);
    place(view, "measure", planMap.measureControl(view), measure);
    planMap.renameLayers(view);
    planMap.placeNames(view);
    planMap.fillLocks(view);
    planMap.refreshDetails(view);
  };

  /* Height that some content has in a popup. */
  function heightOf(content) {
    const box = el("div", "leaflet-popup-content measured", [content]);
    document.body.append(box);
    const height = box.offsetHeight;
    box.remove();
    return height;
  }

  const mostHigh = (map) => Math.round(map.getSize().y * POPUP_SHARE);

  /** Opens a popup and outlines what it speaks of until it closes; who opens it by keyboard goes on reading there. */
  planMap.openDetails = function (view, latlng, content, latlngs) {
    const { map } = view;
    const from = view.details && view.details.box.contains(document.activeElement) ? view.details.from : null;
    const opener = from || document.activeElement;
    map.closePopup();
    view.highlight.setLatLngs(planMap.outline(latlngs)).addTo(map).bringToFront();
    const popup = L.popup({
      maxWidth: POPUP_WIDTH,
      minWidth: 230,
      maxHeight: mostHigh(map),
      autoPanPadding: [12, 12],
      closeOnEscapeKey: false,
    });
    popup.setLatLng(latlng).setContent(content).openOn(map);
    const box = popup.getElement();
    box.setAttribute("role", "dialog");
    view.details = { popup, box, from: opener };
    popup.on("remove", () => {
      view.details = null;
    });
    box.addEventListener("toggle", () => fit(view.details), true);
    dress(view);
    if (view.byKeyboard) box.querySelector(".leaflet-popup-content").focus({ preventScroll: true });
  };

  /* Leaflet takes the content out and puts it in again to fit its size: keyboard and scroll stay where they were. */
  function fit({ popup, box }) {
    const content = box.querySelector(".leaflet-popup-content");
    const focused = document.activeElement;
    const scrolled = content.scrollTop;
    popup.update();
    content.scrollTop = scrolled;
    if (focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  function dress(view) {
    const { popup, box } = view.details;
    const content = box.querySelector(".leaflet-popup-content");
    content.tabIndex = -1;
    box.setAttribute("aria-label", popup.getContent().querySelector("h3").textContent);
    const button = box.querySelector(".leaflet-popup-close-button");
    button.title = t("close");
    button.setAttribute("aria-label", t("close"));
  }

  /** The open popup, made anew: the language or the plan's locks have changed. */
  planMap.refreshDetails = function (view) {
    if (!view.details) return;
    const { popup } = view.details;
    const { remake } = popup.getContent();
    if (!remake) {
      view.map.closePopup();
      return;
    }
    const focused = view.details.box.contains(document.activeElement);
    popup.setContent(remake());
    dress(view);
    if (focused) view.details.box.querySelector(".leaflet-popup-content").focus({ preventScroll: true });
  };

  /** Closes the popup; the keyboard is where it was before. */
  planMap.closeDetails = function (view) {
    const { from } = view.details;
    view.map.closePopup();
    const back = from && from.isConnected && from !== document.body ? from : view.map.getContainer();
    back.focus({ preventScroll: true });
  };

  /** Esc closes popups, and a popup opened by keyboard takes the keyboard over. */
  planMap.listenToKeys = function (view) {
    document.addEventListener("pointerdown", () => (view.byKeyboard = false), true);
    document.addEventListener(
      "keydown",
      (event) => {
        view.byKeyboard = true;
        const listOpen = event.target.getAttribute && event.target.getAttribute("aria-expanded") === "true";
        if (event.key !== "Escape" || !view.details || listOpen) return;
        event.preventDefault();
        event.stopPropagation();
        planMap.closeDetails(view);
      },
      true,
    );
  };

  /* What is shown fills the map below its popup, which stands above it. */
  function show(view, latlngs, content) {
    if (latlngs.length === 0) return;
    const { map } = view;
    const bounds = L.polygon(latlngs).getBounds();
    const above = Math.min(heightOf(content), mostHigh(map)) + FRAME_PX;
    map.fitBounds(bounds.pad(0.1), { maxZoom: 18, animate: false, paddingTopLeft: [0, above] });
    planMap.openDetails(view, L.latLng(bounds.getNorth(), bounds.getCenter().lng), content, latlngs);
  }

  planMap.showParcel = (view, row) => show(view, view.parcels.latlngs(row), planMap.parcelPopup(view, row));
  planMap.showBlock = (view, row) => show(view, view.blocks.body(row), planMap.blockPopup(view, row));
  planMap.showZone = (view, row) => show(view, view.zones.latlngs(row), planMap.zonePopup(view, row));
})(window.planMap);
