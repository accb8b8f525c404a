/* Puts the plan on the map. Everything is drawn on one canvas, so that clicks reach whatever lies on top. */
"use strict";

(function (planMap) {
  function group(view, table, draw, describe) {
    const layers = L.featureGroup();
    const add = (row) => {
      const latlngs = table.latlngs(row);
      if (latlngs.length === 0) return;
      for (const layer of [draw(row, latlngs)].flat()) {
        layer.row = row;
        layers.addLayer(layer);
      }
    };
    if (describe) {
      layers.on("click", (event) => {
        if (view.measuring) return;
        const { row } = event.propagatedFrom || event.layer;
        planMap.openDetails(
          view,
          event.latlng,
          describe.popup(view, row),
          describe.highlight ? table.body(row) : [],
        );
      });
      if (describe.tip)
        layers.bindTooltip((layer) => describe.tip(view, layer.row), {
          sticky: true,
          className: "plan-tip",
          opacity: 1,
        });
    }
    return { layers, add };
  }

  function parcelGroups(view) {
    const { parcels } = view;
    const describe = { popup: planMap.parcelPopup, tip: planMap.parcelTip, highlight: true };
    const groups = {};
    for (const status of ["excluded", "ineligible", "eligible", "selected"]) {
      groups[status] = group(
        view,
        parcels,
        (row, latlngs) => L.polygon(latlngs, planMap.parcelStyle(view, row)),
        describe,
      );
    }
    parcels.rows().forEach((row) => groups[parcels.get("status", row)].add(row));
    return groups;
  }

  /* Lanes inside a block are not its land: they are paler than its parcels. */
  const LANE_OPACITY = 0.4;
  /* The outline of a block stands out on light and on dark land by a white seam, left out where parcels are dots. */
  const CASING = { color: "#FFFFFF", weight: 4.8, interactive: false, fineOnly: true };

  function blockGroups(view) {
    const { blocks, palette, data } = view;
    const describe = { popup: planMap.blockPopup, tip: planMap.blockTip, highlight: true };
    const colour = (row) => (data.phases[blocks.get("phase", row) - 1] || { colour: palette.muted.eligible }).colour;
    const fills = group(
      view,
      blocks,
      (row, latlngs) => {
        const style = { stroke: false, fillColor: colour(row), fillOpacity: 1, hatch: planMap.blockHatch(view, row) };
        const own = L.polygon(latlngs, style);
        return blocks.hasBody(row) ? [L.polygon(blocks.body(row), { ...style, fillOpacity: LANE_OPACITY }), own] : own;
      },
      describe,
    );
    const outlines = group(
      view,
      blocks,
      (row) =>
        [CASING, { color: palette.block_outline }].map((s) => L.polyline(planMap.outline(blocks.body(row)), s)),
      describe,
    );
    blocks.rows().forEach((row) => [fills, outlines].forEach((g) => g.add(row)));
    return { fills: fills.layers, outlines: outlines.layers };
  }

  /* Used links stand out by a white seam, which is left out where they are dots. */
  function linkGroup(view, used) {
    const { links, palette } = view;
    const seam = { color: "#FFFFFF", weight: 7, interactive: false, fineOnly: true };
    const style = used
      ? [seam, { color: palette.link_used, weight: 4 }]
      : [{ color: palette.link_unused, weight: 1.5, dashArray: "3 3" }];
    const lines = group(view, links, (row, latlngs) => style.map((s) => L.polyline(latlngs, s)), {
      popup: planMap.linkPopup,
    });
    const rows = links.rows().filter((row) => Boolean(links.get("used", row)) === used);
    rows.forEach(lines.add);
    return { layers: lines.layers, count: rows.length };
  }

  function tip(text) {
    return () => planMap.el("strong", "", text);
  }

  function barrierGroup(view) {
    const layers = L.featureGroup();
    const { palette, data } = view;
    const named = (table, draw) => {
      table.rows().forEach((row) => {
        const latlngs = table.latlngs(row);
        if (latlngs.length === 0) return;
        const name = table.get("name", row);
        const layer = draw(latlngs);
        if (name !== null)
          layer.bindTooltip(tip(planMap.t("barrier", name)), { sticky: true, className: "plan-tip", opacity: 1 });
        layers.addLayer(layer);
      });
    };
    named(new planMap.Table(data.barrier_areas), (latlngs) =>
      L.polygon(latlngs, { color: palette.barrier, weight: 1, fillColor: palette.barrier, fillOpacity: 0.45 }),
    );
    named(new planMap.Table(data.barrier_lines), (latlngs) =>
      L.polyline(latlngs, { color: palette.barrier, weight: 4, opacity: 0.8 }),
    );
    return layers;
  }

  function zoneGroup(view) {
    const layers = L.featureGroup();
    const style = { color: view.palette.zone, weight: 2.4, dashArray: "10 6", fill: false, interactive: false };
    view.zones.rows().forEach((row) => layers.addLayer(L.polyline(planMap.outline(view.zones.latlngs(row)), style)));
    return layers;
  }

  /* A name goes with what it names: both are one entry of the layer control. */
  function together(...groups) {
    const both = L.layerGroup();
    both.onAdd = (map) => groups.forEach((g) => map.addLayer(g));
    both.onRemove = (map) => groups.forEach((g) => map.removeLayer(g));
    return both;
  }

  /** Parcels take the colours of one colouring. */
  planMap.colourBy = function (view, key) {
    view.colouring = key;
    const colouring = view.colourings[key];
    const colours = new Map(colouring.classes.map((c) => [c.key, c.colour]));
    view.colourOf = (row) => colours.get(colouring.of(row)) || view.palette.score_unknown;
    restyle(view);
  };

  function restyle(view) {
    view.parcelLayers.forEach((layers) =>
      layers.eachLayer((layer) => layer.setStyle(planMap.parcelStyle(view, layer.row))),
    );
  }

  /* Links and block outlines, thin where parcels are dots. */
  function restyleLines(view) {
    const { fine } = view;
    view.usedLinks.eachLayer((layer) =>
      layer.setStyle(layer.options.fineOnly ? { stroke: fine } : { weight: fine ? 4 : 1.2 }),
    );
    view.blockOutlines.eachLayer((layer) =>
      layer.setStyle(layer.options.fineOnly ? { stroke: fine } : { weight: fine ? 2.4 : 1.2 }),
    );
  }

  const FINE_PX = 14;

  /*
   * Outlines of parcels cost most of the drawing time and are noise where parcels are dots: they are drawn from the zoom
   * on at which a parcel of mean size is FINE_PX wide. True where that has changed.
   */
  function updateFineness(view) {
    const { map, parcels } = view;
    const area = parcels.rows().reduce((sum, row) => sum + parcels.get("area_mu", row), 0) / parcels.length;
    const fine = Math.sqrt((area * 10000) / 15) >= FINE_PX * planMap.metresPerPixel(map);
    const changed = fine !== view.fine;
    view.fine = fine;
    return changed;
  }

  /** The part of the map where the plan is. */
  planMap.fitPlan = function (view) {
    view.map.fitBounds(view.data.bounds, { paddingTopLeft: [58, 22], paddingBottomRight: [22, 22], animate: false });
  };

  /* Parcels with an outline of their own, which their neighbours must not cover: fillers, then locked ones. */
  function markedParcels(view) {
    const all = view.parcelLayers.flatMap((layers) => layers.getLayers());
    const rank = (layer) =>
      view.parcels.get("locked", layer.row) !== null ? 2 : view.parcels.get("role", layer.row) === "filler" ? 1 : 0;
    return all.filter((layer) => rank(layer) > 0).sort((a, b) => rank(a) - rank(b));
  }

  function addLayers(view) {
    const { map } = view;
    const parcels = parcelGroups(view);
    view.parcelLayers = ["excluded", "ineligible", "eligible", "selected"].map((status) => parcels[status].layers);
    const blocks = blockGroups(view);
    const usedLinks = linkGroup(view, true);
    const otherLinks = linkGroup(view, false);
    const barriers = barrierGroup(view);
    const zones = zoneGroup(view);
    view.names = planMap.nameLayers(view);
    view.usedLinks = usedLinks.layers;
    view.blockOutlines = blocks.outlines;
    restyleLines(view);

    const { palette, data } = view;
    const phaseColours = data.phases.map((phase) => phase.colour);
    const ramp = phaseColours.length > 1 ? `linear-gradient(90deg, ${phaseColours.join(", ")})` : phaseColours.join();
    const parcelEntry = (status, colour) => {
      const { layers } = parcels[status];
      return { key: status, symbol: "area", colour, group: layers, count: layers.getLayers().length };
    };
    view.layers = [
      {
        key: "blocks",
        symbol: "outline",
        colour: palette.block_outline,
        group: together(blocks.fills, blocks.outlines, view.names.blockNames),
        count: view.blocks.length,
      },
      parcelEntry("selected", ramp),
      parcelEntry("eligible", palette.muted.eligible),
      parcelEntry("ineligible", palette.muted.ineligible),
      parcelEntry("excluded", palette.muted.excluded),
      { key: "links_used", symbol: "line", colour: palette.link_used, group: usedLinks.layers, count: usedLinks.count },
      {
        key: "links_unused",
        symbol: "dashes",
        colour: palette.link_unused,
        group: otherLinks.layers,
        count: otherLinks.count,
        hidden: true,
      },
      { key: "barriers", symbol: "line", colour: palette.barrier, group: barriers, count: barriers.getLayers().length },
      {
        key: "zones",
        symbol: "dashes",
        colour: palette.zone,
        group: together(zones, view.names.zoneNames),
        count: view.zones.length,
      },
    ].filter((layer) => layer.count > 0);

    const order = [
      blocks.fills,
      ...view.parcelLayers,
      ...markedParcels(view),
      barriers,
      zones,
      otherLinks.layers,
      blocks.outlines,
      usedLinks.layers,
    ];
    const arrange = () => order.filter((layer) => map.hasLayer(layer)).forEach((layer) => layer.bringToFront());
    view.layers.filter((layer) => !layer.hidden).forEach((layer) => map.addLayer(layer.group));
    arrange();
    map.on("overlayadd", arrange);
  }

  /** Builds the whole page. `map` is the Leaflet map made by Folium, `data` what `planner.report.encode` wrote. */
  planMap.start = function (map, data) {
    planMap.setLanguage(data.language);
    const view = {
      map,
      data,
      palette: data.palette,
      parcels: new planMap.Table(data.parcels),
      blocks: new planMap.Table(data.blocks),
      links: new planMap.Table(data.links),
      zones: new planMap.Table(data.zones),
      parcelLayers: [],
      colouring: "phase",
      measuring: false,
      fine: true,
    };
    planMap.view = view;
    view.blockRow = new Map(view.blocks.rows().map((row) => [view.blocks.get("block_id", row), row]));
    view.highlight = L.polyline([], { color: view.palette.highlight, weight: 4, interactive: false });
    view.colourings = planMap.colourings(view.parcels, data);
    planMap.colourBy(view, view.colouring);

    map.attributionControl.setPrefix("Leaflet");
    map.createPane("names").style.zIndex = 620;
    map.getPane("names").style.pointerEvents = "none";
    planMap.fillHeader(view, document.getElementById("plan-header"));
    map.invalidateSize({ animate: false });
    planMap.fitPlan(view);
    updateFineness(view);
    addLayers(view);
    planMap.searchControl(view).addTo(map);
    planMap.addButtons(view);
    planMap.measureControl(view).addTo(map);
    planMap.fillPanel(view, document.getElementById("plan-panel"));

    map.on("popupclose", () => view.highlight.remove());
    map.on("zoomend", () => {
      if (!updateFineness(view)) return;
      restyle(view);
      restyleLines(view);
    });
    map.on("moveend zoomend resize overlayadd overlayremove", () => planMap.placeNames(view));
    planMap.placeNames(view);
    document.body.dataset.ready = "true";
  };
})(window.planMap);
