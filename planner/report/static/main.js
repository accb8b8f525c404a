/* Puts the plan on the page: map, heading, slider, panel. */
"use strict";

(function (planMap) {
  const FINE_PX = 14;

  /** Parcels take the colours of one colouring. */
  planMap.colourBy = function (view, key) {
    planMap.chooseColouring(view, key);
    planMap.restyleParcels(view);
  };

  function restyleAll(view) {
    planMap.restyleParcels(view);
    planMap.restyleLines(view);
  }

  /*
   * Outlines of parcels cost most of the drawing time and are noise where parcels are dots: they are drawn from the zoom
   * on at which a parcel of mean size is FINE_PX wide. True where that has changed.
   */
  function updateFineness(view) {
    const fine = view.parcelWidthM >= FINE_PX * planMap.metresPerPixel(view.map);
    const changed = fine !== view.fine;
    view.fine = fine;
    return changed;
  }

  function meanParcelWidth(parcels) {
    const area = parcels.rows().reduce((sum, row) => sum + parcels.get("area_mu", row), 0) / (parcels.length || 1);
    return Math.sqrt((area * 10000) / 15);
  }

  /** The part of the map where the plan is. */
  planMap.fitPlan = function (view) {
    view.map.fitBounds(view.data.bounds, { paddingTopLeft: [58, 22], paddingBottomRight: [22, 22], animate: false });
  };

  function makeView(map, data) {
    const view = {
      map,
      data,
      palette: data.palette,
      parcels: new planMap.Table(data.parcels),
      blocks: new planMap.Table(data.blocks),
      links: new planMap.Table(data.links),
      zones: new planMap.Table(data.zones),
      parcelLayers: [],
      parcelLayer: [],
      step: data.phases.length,
      opacity: 1,
      measuring: false,
      fine: true,
    };
    view.blockRow = new Map(view.blocks.rows().map((row) => [view.blocks.get("block_id", row), row]));
    view.parcelWidthM = meanParcelWidth(view.parcels);
    view.highlight = L.polyline([], { color: view.palette.highlight, weight: 4, interactive: false });
    view.restyleParcel = planMap.restyleParcel;
    view.colourings = planMap.colourings(view.parcels, data);
    planMap.chooseColouring(view, "phase");
    return view;
  }

  /* The plan lets a picture under it show through, and covers the ground without one. */
  function addBaseMap(view) {
    const entry = planMap.baseMap(view);
    if (!entry) return;
    view.map.addLayer(entry.group);
    view.opacity = planMap.planOpacity(view, entry);
    view.baseEntry = entry;
    planMap.baseNote(view);
  }

  function followMap(view) {
    const { map } = view;
    map.on("popupclose", () => view.highlight.remove());
    map.on("zoomend", () => {
      if (updateFineness(view)) restyleAll(view);
    });
    map.on("overlayadd overlayremove", () => {
      const opacity = planMap.planOpacity(view, view.baseEntry);
      if (opacity === view.opacity) return;
      view.opacity = opacity;
      restyleAll(view);
    });
    map.on("moveend zoomend resize overlayadd overlayremove", () => planMap.placeNames(view));
  }

  const element = (id) => document.getElementById(id);

  /** The page in the words of the language that is set; colouring, slider, layers and the part of the map stay. */
  planMap.rebuild = function (view) {
    view.colourings = planMap.colourings(view.parcels, view.data);
    planMap.chooseColouring(view, view.colouring);
    planMap.fillHeader(view, element("plan-header"));
    planMap.fillTimeline(view, element("plan-timeline"));
    planMap.baseNote(view);
    planMap.fillPanel(view, element("plan-panel"));
    planMap.rebuildControls(view);
  };

  /** Builds the whole page. `map` is the Leaflet map made by Folium, `data` what `planner.report.page` wrote. */
  planMap.start = function (map, data) {
    planMap.setLabels(data.labels);
    planMap.setLanguage(data.language);
    const view = makeView(map, data);
    planMap.view = view;

    map.attributionControl.setPrefix("Leaflet");
    map.createPane("names").style.zIndex = 620;
    map.getPane("names").style.pointerEvents = "none";
    planMap.fillHeader(view, element("plan-header"));
    planMap.fillTimeline(view, element("plan-timeline"));
    map.invalidateSize({ animate: false });
    planMap.fitPlan(view);
    updateFineness(view);
    addBaseMap(view);
    planMap.addLayers(view);
    if (view.baseEntry) view.layers.push(view.baseEntry);
    planMap.searchControl(view).addTo(map);
    planMap.addButtons(view);
    planMap.measureControl(view).addTo(map);
    planMap.fillPanel(view, element("plan-panel"));
    planMap.addLocks(view);

    followMap(view);
    planMap.placeNames(view);
    document.body.dataset.ready = "true";
  };
})(window.planMap);
