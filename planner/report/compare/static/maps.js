/* Two maps that move together, each with a choice of what it shows: a plan, or how many plans pick each parcel. */
"use strict";

(function (planCompare, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;
  const AGREEMENT = "agreement";
  const FINE_PX = 14;
  const NONE = { stroke: false, fill: false };

  /** Hatch of land that so many plans pick: stripes where they do not agree, so that it can be told without colour. */
  planCompare.agreementHatch = (times, data) => (times > 0 && times < data.plans.length ? 1 : 0);

  /** A legend's square, as on the map. */
  planCompare.swatch = function (colour, hatch) {
    const box = el("span", "swatch");
    box.style.backgroundColor = colour;
    if (hatch) box.style.backgroundImage = planMap.hatchImage(hatch, colour);
    return box;
  };

  /** The two maps with choices and legends; drawn by `planCompare.drawMaps` once they stand in the page. */
  planCompare.maps = function (data, state) {
    const sides = ["left", "right"].map((side, i) => {
      const chooser = choice(data, state.shown[i], side);
      const frame = el("div", "map-frame");
      frame.setAttribute("role", "application");
      frame.setAttribute("aria-label", t("compare_map_label_" + side));
      const legend = el("ul", "legend");
      return { side, chooser, frame, legend, box: el("div", "map-side", [chooser.label, frame, legend]) };
    });
    const parts = [
      el("p", "hint", t("compare_move_hint")),
      planCompare.finder(data, state),
      el("div", "maps", sides.map((side) => side.box)),
      state.details,
    ];
    if (data.land.drawn < data.land.parcels) {
      const figures = [data.land.drawn, data.land.parcels].map((n) => planMap.number(n, 0));
      parts.splice(1, 0, el("p", "hint", t("compare_land_drawn", ...figures)));
    }
    return { sides, section: planCompare.section("maps", parts) };
  };

  function choice(data, shown, side) {
    const select = el("select", "", [
      ...data.plans.map((plan, i) => option(String(i), t("compare_choose_plan", plan.name))),
      option(AGREEMENT, t("compare_choose_agreement")),
    ]);
    select.value = shown;
    select.dataset.side = side;
    const name = el("span", "unseen", t(side === "left" ? "compare_choose" : "compare_choose_right"));
    return { select, label: el("label", "choice", [name, select]) };
  }

  function option(value, text) {
    const item = el("option", "", text);
    item.value = value;
    return item;
  }

  /** Leaflet maps in the frames of the sides, where the view stands, and what is drawn on them. */
  planCompare.drawMaps = function (data, state, sides) {
    const maps = sides.map((side) => newMap(side.frame));
    /* Both stand where they will before anything is on them: every further view is worked out for every outline. */
    const { centre, zoom } = state.view || wholeView(data, maps[0]);
    for (const map of maps) map.setView(centre, zoom, { animate: false });
    maps.forEach((map, i) => {
      const side = { map, legend: sides[i].legend, ...newLayers(data, state, map) };
      state.maps[i] = side;
      show(data, state, i);
      drawLand(data, state, side);
      sides[i].chooser.select.addEventListener("change", (event) => {
        state.shown[i] = event.target.value;
        show(data, state, i);
      });
    });
    tie(maps[0], maps[1]);
    wholeButton(data, maps[0]);
    maps.forEach((map, i) =>
      map.on("zoomend", () => {
        if (isFine(state, map) !== state.maps[i].fine) show(data, state, i);
      }),
    );
    maps[0].on("moveend", () => {
      state.view = { centre: maps[0].getCenter(), zoom: maps[0].getZoom() };
    });
  };

  function wholeView(data, map) {
    const bounds = L.latLngBounds(data.bounds);
    return { centre: bounds.getCenter(), zoom: map.getBoundsZoom(bounds, false, L.point(20, 20)) };
  }

  function newMap(frame) {
    const map = L.map(frame, {
      preferCanvas: true,
      zoomSnap: 0.25,
      maxZoom: 22,
      inertia: false,
      fadeAnimation: false,
      zoomAnimation: false,
      markerZoomAnimation: false,
    });
    map.attributionControl.setPrefix("Leaflet");
    L.control.scale({ imperial: false }).addTo(map);
    return map;
  }

  /*
   * Both maps have the same view at any time. At one zoom the panes of the other map are shifted, which spares it from
   * working out every outline anew; `_rawPanBy` is what Leaflet itself drags a map with.
   */
  function tie(one, other) {
    let busy = false;
    const follow = (leader, follower) => {
      const shift = () => {
        const way = follower.latLngToContainerPoint(leader.getCenter()).subtract(follower.getSize().divideBy(2));
        follower._rawPanBy(way.round());
      };
      const act = (change) => () => {
        if (busy) return;
        busy = true;
        if (leader.getZoom() === follower.getZoom()) change();
        else follower.setView(leader.getCenter(), leader.getZoom(), { animate: false });
        busy = false;
      };
      leader.on("move", act(shift));
      leader.on(
        "moveend",
        act(() => {
          shift();
          follower.fire("moveend");
        }),
      );
    };
    follow(one, other);
    follow(other, one);
  }

  function wholeButton(data, map) {
    const control = L.control({ position: "topleft" });
    control.onAdd = () => {
      const button = el("button", "whole", [planMap.icon("M3 11 12 4l9 7M6 9v11h12V9")]);
      button.type = "button";
      button.title = t("compare_whole");
      button.setAttribute("aria-label", t("compare_whole"));
      button.addEventListener("click", () => {
        const { centre, zoom } = wholeView(data, map);
        map.setView(centre, zoom, { animate: false });
      });
      const box = el("div", "leaflet-bar", [button]);
      L.DomEvent.disableClickPropagation(box);
      return box;
    };
    control.addTo(map);
  }

  function newLayers(data, state, map) {
    const parcels = state.parcels.rows().map((row) => {
      const layer = L.polygon(state.latlngs[row], { ...NONE });
      layer.row = row;
      return layer;
    });
    /* A light line below a dark one: seen on every colour. */
    const highlight = [
      ["#ffffff", 7],
      [data.palette.highlight, 3.5],
    ].map(([color, weight]) => L.polyline([], { color, weight, interactive: false }));
    return { parcels, outlines: L.layerGroup(), highlight, zones: zonesOf(data, state), map };
  }

  const zonesOf = (data, state) =>
    L.layerGroup(
      state.zones.map((shape) =>
        L.polygon(shape, { color: data.palette.zone, weight: 1.5, dashArray: "6 4", fill: false, interactive: false }),
      ),
    );

  function drawLand(data, state, side) {
    const { map } = side;
    const fixed = { interactive: false, fill: false, color: data.palette.barrier };
    for (const shape of state.areas) L.polygon(shape, { ...fixed, weight: 1 }).addTo(map);
    for (const shape of state.lines) L.polyline(shape, { ...fixed, weight: 2 }).addTo(map);
    const group = L.featureGroup(side.parcels);
    group.on("click", (event) => planCompare.openParcel(data, state, (event.propagatedFrom || event.layer).row));
    group.bindTooltip((layer) => planCompare.tip(data, state, side, layer.row), {
      sticky: true,
      className: "plan-tip",
    });
    group.addTo(map);
    side.zones.addTo(map);
    side.outlines.addTo(map);
  }

  /* Colours one map anew, and its legend. */
  function show(data, state, i) {
    const shown = state.shown[i];
    const side = state.maps[i];
    const plan = shown === AGREEMENT ? null : Number(shown);
    side.plan = plan;
    const styles = plan === null ? agreementStyles(data, state) : planStyles(data, state, plan);
    const fine = isFine(state, side.map);
    side.fine = fine;
    side.parcels.forEach((layer) => {
      const style = styles(layer.row);
      layer.setStyle(style);
      layer.options.stroke = style.stroke && (fine || style.fillOpacity === 0);
    });
    side.outlines.clearLayers();
    if (plan !== null) blockLayers(data, state, plan).forEach((layer) => side.outlines.addLayer(layer));
    side.legend.replaceChildren(...(plan === null ? agreementLegend(data) : planLegend(data, plan)));
  }

  /* Outlines of parcels are drawn where they can be seen: they take as long as the fills. */
  function isFine(state, map) {
    const middle = map.getSize().divideBy(2);
    const ends = [middle, middle.add([100, 0])].map((point) => map.containerPointToLatLng(point));
    return state.parcelWidthM / (map.distance(...ends) / 100) >= FINE_PX;
  }

  /* Outline and hatch of the blocks: a hatch per block is drawn many times quicker than one per parcel. */
  function blockLayers(data, state, plan) {
    const { phases, blocks } = data.plans[plan];
    return state.bodies[plan].map((shape, k) =>
      L.polygon(shape, {
        color: data.palette.block_outline,
        weight: 1.6,
        interactive: false,
        fill: blocks.hatch[k] > 0,
        fillOpacity: 0,
        fillColor: phases[blocks.phase[k] - 1].colour,
        hatch: blocks.hatch[k],
      }),
    );
  }

  const filled = (data, colour, hatch) => ({
    fill: true,
    fillColor: colour,
    fillOpacity: 1,
    hatch,
    stroke: true,
    color: data.palette.parcel_outline,
    weight: 0.5,
    dashArray: null,
  });

  function agreementStyles(data, state) {
    const styles = data.palette.agreement.map((colour, times) =>
      filled(data, colour, planCompare.agreementHatch(times, data)),
    );
    return (row) => styles[state.parcels.get("times", row)];
  }

  /* Colour of the phase; muted where the plan leaves it out, an empty outline where it does not have it. */
  function planStyles(data, state, plan) {
    const inPlan = data.in_plan[plan];
    const taken = data.plans[plan].phases.map((phase) => filled(data, phase.colour, 0));
    const muted = ["eligible", "ineligible", "excluded"].map((name) => filled(data, data.palette.muted[name], 0));
    const absent = { fill: true, fillColor: "#ffffff", fillOpacity: 0, hatch: 0 };
    Object.assign(absent, { stroke: true, color: "#8a8a8a", weight: 0.7, dashArray: "2 3" });
    return (row) => {
      const status = inPlan.status[row];
      if (status < 0) return absent;
      if (status > 0) return muted[status - 1];
      return taken[inPlan.phase[row] - 1];
    };
  }

  function legendItem(colour, hatch, label, figure) {
    const parts = [planCompare.swatch(colour, hatch), el("span", "label", label)];
    if (figure !== undefined) parts.push(el("span", "count", t("compare_legend_mu", planMap.mu(figure))));
    return el("li", "", parts);
  }

  function planLegend(data, plan) {
    const { muted } = data.palette;
    return [
      ...data.plans[plan].phases.map((phase) =>
        legendItem(phase.colour, 0, planCompare.phaseOf(phase.id, phase.year), phase.net_mu),
      ),
      ...["eligible", "ineligible", "excluded"].map((status) => legendItem(muted[status], 0, t(status))),
      el("li", "hint", t("hatch_note")),
    ];
  }

  function agreementLegend(data) {
    return data.land.picked.map((sum) =>
      legendItem(
        data.palette.agreement[sum.plans],
        planCompare.agreementHatch(sum.plans, data),
        planCompare.timesLabel(sum.plans, data),
        sum.area_mu,
      ),
    );
  }
})(window.planCompare, window.planMap);
