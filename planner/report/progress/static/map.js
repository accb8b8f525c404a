/* The blocks of the plan on a map, in the colours of their projects' states. */
"use strict";

(function (planProgress, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;

  /** The section with an empty frame; drawn by `planProgress.drawMap` once it stands in the page. */
  planProgress.map = function (data) {
    const frame = el("div", "map-frame");
    frame.setAttribute("role", "application");
    frame.setAttribute("aria-label", t("mon_map_label"));
    const legend = el("ul", "legend", data.report.headline.states.filter((item) => item.projects > 0).map((item) => {
      const figures = `${item.projects} · ${planMap.muUnit(item.net_mu)}`;
      return el("li", "", [planProgress.state(data, item.state), el("span", "count", figures)]);
    }));
    const section = planProgress.section("map", [el("p", "hint", t("mon_map_hint")), frame, legend]);
    return { section, frame };
  };

  planProgress.drawMap = function (data, state, frame) {
    const { land, palette } = data;
    const map = L.map(frame, {
      attributionControl: false,
      preferCanvas: true,
      zoomSnap: 0.25,
      zoomControl: false,
      scrollWheelZoom: true,
    });
    L.control.zoom({ zoomInTitle: t("zoom_in"), zoomOutTitle: t("zoom_out") }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    map.fitBounds(land.bounds, { padding: [14, 14], animate: false });
    const table = (shapes) => new planMap.Table({ columns: {}, shapes });
    const each = (shapes, draw) => {
      const rows = table(shapes);
      for (const row of rows.rows()) draw(rows.latlngs(row));
    };
    const still = { interactive: false };
    each(land.outside, (shape) =>
      L.polygon(shape, { ...still, fillColor: palette.outside, fillOpacity: 0.75, stroke: false }).addTo(map),
    );
    const barrier = { ...still, fill: false, color: palette.barrier };
    each(land.barrier_areas, (shape) => L.polygon(shape, { ...barrier, weight: 1 }).addTo(map));
    each(land.barrier_lines, (shape) => L.polyline(shape, { ...barrier, weight: 2 }).addTo(map));
    each(land.zones, (shape) =>
      L.polygon(shape, { ...still, fill: false, color: palette.zone, weight: 1.5, dashArray: "6 4" }).addTo(map),
    );
    state.blocks = drawBlocks(data, map);
    state.map = map;
  };

  /* A light name on a dark block and a dark one on a light block would need two styles: names stand on paper. */
  function drawBlocks(data, map) {
    const blocks = new planMap.Table(data.land.blocks);
    const projects = new Map(data.report.projects.map((project) => [project.block_id, project]));
    return blocks.rows().map((row) => {
      const project = projects.get(blocks.get("block_id", row));
      const { colour, hatch } = data.palette.states[project.state];
      const layer = L.polygon(blocks.latlngs(row), {
        color: data.palette.block_outline,
        weight: 1.2,
        fill: true,
        fillColor: colour,
        fillOpacity: 1,
        hatch,
      });
      layer.bindTooltip(() => tip(data, project), { sticky: true, className: "plan-tip" });
      layer.on("click", () => show(project));
      layer.addTo(map);
      const number = el("span", "", shortCode(project.code));
      L.marker(blocks.get("label_at", row), {
        interactive: false,
        keyboard: false,
        icon: L.divIcon({ className: "block-label", html: number, iconSize: null }),
      }).addTo(map);
      return layer;
    });
  }

  /* The number of a code: the series is the same for most. */
  const shortCode = (code) => code.slice(code.lastIndexOf("-") + 1);

  function tip(data, project) {
    const lines = [
      el("strong", "", `${project.code} ${project.name}`),
      planProgress.state(data, project.state),
      el("span", "", `${t("mon_net_mu")}: ${planMap.mu(project.net_mu)}`),
    ];
    if (project.slip) lines.push(el("span", "", `${t("mon_slip")}: ${planProgress.slip(project.slip)}`));
    for (const what of ["cleared", "accepted"]) {
      const value = project[what + "_mu"];
      if (value !== null) lines.push(el("span", "", `${t("mon_" + what)}: ${planMap.muUnit(value)}`));
    }
    return el("div", "tip", lines.map((line) => el("div", "", [line])));
  }

  /* Leads to the row of the project. */
  function show(project) {
    const row = document.getElementById("project-" + project.block_id);
    for (const other of document.querySelectorAll("tr.found")) other.classList.remove("found");
    row.classList.add("found");
    row.scrollIntoView({ block: "center" });
  }
})(window.planProgress, window.planMap);
