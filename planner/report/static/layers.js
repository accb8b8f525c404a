/* The layers of the map. Everything is drawn on one canvas, so that clicks reach whatever lies on top. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;
  const M2_PER_MU = 10000 / 15;
  const STATUSES = ["excluded", "ineligible", "eligible", "selected"];

  /* Lanes inside a block are not its land: they are paler than its parcels. */
  const LANE_OPACITY = 0.4;
  /* The outline of a block stands out on light and on dark land by a white seam, left out where parcels are dots. */
  const CASING = { color: "#FFFFFF", weight: 4.8, interactive: false, fineOnly: true };
  const LATER_OUTLINE = "#8A9199";
  const LATER_NAME_OPACITY = 0.65;

  const TIP = { sticky: true, className: "plan-tip", opacity: 1 };

  /* Shapes of a table in one group; `describe` says what a popup and a tooltip tell of a row. */
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
    if (describe && describe.popup) {
      layers.on("click", (event) => {
        if (view.measuring) return;
        const { row } = event.propagatedFrom || event.layer;
        const body = describe.highlight ? table.body(row) : [];
        planMap.openDetails(view, event.latlng, describe.popup(view, row), body);
      });
    }
    if (describe && describe.tip) layers.bindTooltip((layer) => describe.tip(view, layer.row), TIP);
    return { layers, add };
  }

  function drawAll(view, table, draw, describe) {
    const drawn = group(view, table, draw, describe);
    table.rows().forEach(drawn.add);
    return drawn.layers;
  }

  function parcelGroups(view) {
    const { parcels } = view;
    const describe = { popup: planMap.parcelPopup, tip: planMap.parcelTip, highlight: true };
    const groups = {};
    view.parcelLayer = new Array(parcels.length).fill(null);
    for (const status of STATUSES) {
      groups[status] = group(
        view,
        parcels,
        (row, latlngs) => {
          view.parcelLayer[row] = L.polygon(latlngs, planMap.parcelStyle(view, row));
          return view.parcelLayer[row];
        },
        describe,
      );
    }
    parcels.rows().forEach((row) => groups[parcels.get("status", row)].add(row));
    return groups;
  }

  function blockColour({ blocks, palette, data }, row) {
    return (data.phases[blocks.get("phase", row) - 1] || { colour: palette.muted.eligible }).colour;
  }

  function blockGroups(view) {
    const { blocks } = view;
    const describe = { popup: planMap.blockPopup, tip: planMap.blockTip, highlight: true };
    const fills = drawAll(
      view,
      blocks,
      (row, latlngs) => {
        const own = L.polygon(latlngs, blockStyle(view, row, 1));
        if (!blocks.hasBody(row)) return own;
        const lanes = L.polygon(blocks.body(row), blockStyle(view, row, LANE_OPACITY));
        lanes.share = LANE_OPACITY;
        return [lanes, own];
      },
      describe,
    );
    const outlines = drawAll(
      view,
      blocks,
      (row) => [CASING, {}].map((style) => L.polyline(planMap.outline(blocks.body(row)), style)),
      describe,
    );
    return { fills, outlines };
  }

  function blockStyle(view, row, share) {
    const later = planMap.isLater(view, view.blocks.get("phase", row));
    return {
      stroke: false,
      fillColor: blockColour(view, row),
      fillOpacity: later ? 0 : share * view.opacity,
      hatch: later ? 0 : planMap.blockHatch(view, row),
    };
  }

  /* Thin where parcels are dots, dashed where the slider has not come to the block yet. */
  function outlineStyle(view, layer) {
    const later = planMap.isLater(view, view.blocks.get("phase", layer.row));
    if (layer.options.fineOnly) return { stroke: view.fine && !later };
    if (later) return { color: LATER_OUTLINE, weight: 1.2, dashArray: "4 4" };
    return { color: view.palette.block_outline, weight: view.fine ? 2.4 : 1.2, dashArray: null };
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

  function linkStyle(view, layer) {
    const later = planMap.isLater(view, view.linkPhase[layer.row]);
    return layer.options.fineOnly
      ? { stroke: view.fine && !later }
      : { stroke: !later, weight: view.fine ? 4 : 1.2 };
  }

  /* Phase of each used link: that of its parcels' block. */
  function linkPhases(view) {
    const { links, parcels } = view;
    const phases = new Map(parcels.rows().map((row) => [parcels.get("parcel_id", row), parcels.get("phase", row)]));
    return links.rows().map((row) => (links.get("used", row) ? (phases.get(links.get("parcel_a", row)) ?? null) : null));
  }

  /* Areas and lines of one layer, with the name of each on hover. */
  function named(view, name, styles, tip) {
    const both = L.featureGroup();
    for (const [kind, style] of Object.entries(styles)) {
      const table = new planMap.Table(view.data[`${name}_${kind}`]);
      const draw = kind === "areas" ? L.polygon : L.polyline;
      table.rows().forEach((row) => {
        const latlngs = table.latlngs(row);
        if (latlngs.length === 0) return;
        const layer = draw(latlngs, style);
        if (table.get(tip.column, row) !== null) layer.bindTooltip(() => el("strong", "", tip.text(table, row)), TIP);
        both.addLayer(layer);
      });
    }
    return both;
  }

  function barrierGroup(view) {
    const colour = view.palette.barrier;
    return named(
      view,
      "barrier",
      {
        areas: { color: colour, weight: 1, fillColor: colour, fillOpacity: 0.45 },
        lines: { color: colour, weight: 4, opacity: 0.8 },
      },
      { column: "name", text: (table, row) => t("barrier", table.get("name", row)) },
    );
  }

  function overlayGroup(view) {
    const style = { color: view.palette.overlap, weight: 1.8, dashArray: "8 3 2 3", fill: false };
    return named(
      view,
      "overlay",
      { areas: style, lines: style },
      {
        column: "overlay",
        text: (table, row) => `${planMap.overlayName(view, table.get("overlay", row))} · ${t("effect_" + table.get("effect", row))}`,
      },
    );
  }

  function overlapGroup(view) {
    const colour = view.palette.overlap;
    const style = { color: colour, weight: 1, fillColor: colour, fillOpacity: 0.55, hatch: 1 };
    return drawAll(view, view.overlaps, (row, latlngs) => L.polygon(latlngs, style), {
      popup: planMap.overlapPopup,
      tip: planMap.overlapTip,
    });
  }

  function holdoutGroup(view) {
    const style = { color: view.palette.holdout, weight: 4 };
    return drawAll(
      view,
      view.holdouts,
      (row, latlngs) =>
        [{ color: "#FFFFFF", weight: 7, interactive: false }, style].map((s) =>
          L.polyline(planMap.outline(latlngs), s),
        ),
      { popup: planMap.holdoutPopup, tip: planMap.holdoutTip },
    );
  }

  function leftoverGroup(view) {
    const colour = view.palette.leftover;
    const style = { color: colour, weight: 1.6, dashArray: "2 3", fillColor: colour, fillOpacity: 0.35, hatch: 3 };
    return drawAll(view, view.leftovers, (row, latlngs) => L.polygon(latlngs, style), {
      popup: planMap.leftoverPopup,
      tip: planMap.leftoverTip,
    });
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

  /* Layers of parcels by the phase in which they are taken. */
  function byPhase(view) {
    const found = new Map();
    view.parcelLayer.forEach((layer, row) => {
      const phase = view.parcels.get("phase", row);
      if (!layer || phase === null) return;
      if (!found.has(phase)) found.set(phase, []);
      found.get(phase).push(layer);
    });
    return found;
  }

  function styleParcels(view, layers) {
    for (const layer of layers) layer.setStyle(planMap.parcelStyle(view, layer.row));
  }

  /** Every parcel takes the style that it should have now. */
  planMap.restyleParcels = function (view) {
    styleParcels(view, view.parcelLayer.filter(Boolean));
  };

  /** One parcel takes the style that it should have now; marks come to the front, once for all of a frame. */
  planMap.restyleParcel = function (row) {
    const { view } = planMap;
    if (!view.parcelLayer[row]) return;
    styleParcels(view, [view.parcelLayer[row]]);
    if (view.restyled) return;
    view.restyled = requestAnimationFrame(() => {
      view.restyled = undefined;
      view.arrange();
      view.refreshLegend();
    });
  };

  /* Links, block outlines and block fills: by slider, and thin where parcels are dots. Those of some phases, or all. */
  function styleLines(view, among) {
    const { blocks } = view;
    const some = (group, phaseOf, style) =>
      group.eachLayer((layer) => {
        if (!among || among(phaseOf(layer.row))) layer.setStyle(style(layer));
      });
    const ofBlock = (row) => blocks.get("phase", row);
    some(view.usedLinks, (row) => view.linkPhase[row], (layer) => linkStyle(view, layer));
    some(view.blockOutlines, ofBlock, (layer) => outlineStyle(view, layer));
    some(view.blockFills, ofBlock, (layer) => blockStyle(view, layer.row, layer.share || 1));
  }

  /** Every line and block takes the style that it should have now. */
  planMap.restyleLines = (view) => styleLines(view, null);

  /** The slider goes to the end of a phase (0 = before the plan): only what changes by it is styled anew. */
  planMap.showStep = function (view, step) {
    const [low, high] = [Math.min(view.step, step), Math.max(view.step, step)];
    const changes = (phase) => phase !== null && phase > low && phase <= high;
    view.step = step;
    for (let phase = low + 1; phase <= high; phase += 1) styleParcels(view, view.phaseLayers.get(phase) || []);
    styleLines(view, changes);
    view.names.blockNames.eachLayer((name) => {
      const phase = view.blocks.get("phase", name.row);
      if (changes(phase)) name.setOpacity(planMap.isLater(view, phase) ? LATER_NAME_OPACITY : 1);
    });
  };

  /* Parcels with an outline of their own, which their neighbours must not cover: fillers, then locked ones. */
  function markedParcels(view) {
    const marked = [[], [], []];
    view.parcelLayer.forEach((layer, row) => layer && marked[planMap.markOf(view, row)].push(layer));
    return [...marked[1], ...marked[2]];
  }

  const sum = (table, column) => table.rows().reduce((total, row) => total + (table.get(column, row) || 0), 0);

  /* Entries of the layer list: what each is drawn with, how many there are and how much land, and whether it starts off. */
  function entries(view, drawn) {
    const { palette, data, parcels } = view;
    const phaseColours = data.phases.map((phase) => phase.colour);
    const ramp = phaseColours.length > 1 ? `linear-gradient(90deg, ${phaseColours.join(", ")})` : phaseColours.join();
    const ofStatus = (status, colour) => {
      const rows = parcels.rows().filter((row) => parcels.get("status", row) === status);
      const mu = rows.reduce((total, row) => total + parcels.get("area_mu", row), 0);
      return { key: status, symbol: "area", colour, group: drawn.parcels[status].layers, count: rows.length, mu };
    };
    const line = (key, symbol, colour, group, count, further) => ({ key, symbol, colour, group, count, ...further });
    return [
      {
        key: "blocks",
        symbol: "outline",
        colour: palette.block_outline,
        group: together(drawn.blocks.fills, drawn.blocks.outlines, view.names.blockNames),
        count: view.blocks.length,
        mu: sum(view.blocks, "area_mu"),
      },
      ofStatus("selected", ramp),
      ...["eligible", "ineligible", "excluded"].map((status) => ofStatus(status, palette.muted[status])),
      line("links_used", "line", palette.link_used, drawn.usedLinks.layers, drawn.usedLinks.count),
      line("links_unused", "dashes", palette.link_unused, drawn.otherLinks.layers, drawn.otherLinks.count, {
        hidden: true,
      }),
      line("holdouts", "outline", palette.holdout, drawn.holdouts, view.holdouts.length, {
        mu: sum(view.holdouts, "area_mu"),
        hidden: true,
      }),
      line("leftovers", "area", palette.leftover, drawn.leftovers, view.leftovers.length, {
        mu: sum(view.leftovers, "area_mu"),
        hidden: true,
      }),
      line("overlaps", "area", palette.overlap, drawn.overlaps, view.overlaps.length, {
        mu: sum(view.overlaps, "overlap_m2") / M2_PER_MU,
      }),
      line("overlays", "dashes", palette.overlap, drawn.overlays, drawn.overlays.getLayers().length),
      line("barriers", "line", palette.barrier, drawn.barriers, drawn.barriers.getLayers().length),
      line("zones", "dashes", palette.zone, together(drawn.zones, view.names.zoneNames), view.zones.length),
    ].filter((entry) => entry.count > 0);
  }

  planMap.addLayers = function (view) {
    const { map, data } = view;
    for (const name of ["overlaps", "holdouts", "leftovers"]) view[name] = new planMap.Table(data[name]);
    view.linkPhase = linkPhases(view);
    const drawn = {
      parcels: parcelGroups(view),
      blocks: blockGroups(view),
      usedLinks: linkGroup(view, true),
      otherLinks: linkGroup(view, false),
      holdouts: holdoutGroup(view),
      leftovers: leftoverGroup(view),
      overlaps: overlapGroup(view),
      overlays: overlayGroup(view),
      barriers: barrierGroup(view),
      zones: zoneGroup(view),
    };
    view.parcelLayers = STATUSES.map((status) => drawn.parcels[status].layers);
    view.phaseLayers = byPhase(view);
    view.names = planMap.nameLayers(view);
    view.usedLinks = drawn.usedLinks.layers;
    view.blockOutlines = drawn.blocks.outlines;
    view.blockFills = drawn.blocks.fills;
    planMap.restyleLines(view);
    view.layers = entries(view, drawn);

    const order = () => [
      drawn.blocks.fills,
      ...view.parcelLayers,
      ...markedParcels(view),
      drawn.leftovers,
      drawn.overlaps,
      drawn.overlays,
      drawn.barriers,
      drawn.zones,
      drawn.otherLinks.layers,
      drawn.blocks.outlines,
      drawn.holdouts,
      drawn.usedLinks.layers,
    ];
    view.arrange = () => order().filter((layer) => map.hasLayer(layer)).forEach((layer) => layer.bringToFront());
    view.layers.filter((layer) => !layer.hidden).forEach((layer) => map.addLayer(layer.group));
    view.arrange();
    map.on("overlayadd", view.arrange);
  };
})(window.planMap);
