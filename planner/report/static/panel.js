/* The heading and the panel beside the map: phases against targets, legend, layers, how good the plan is. */
"use strict";

(function (planMap) {
  const { t, el, mu } = planMap;

  function swatch(colour, hatch) {
    const box = el("span", "swatch");
    box.style.backgroundColor = colour;
    if (hatch) box.style.backgroundImage = planMap.hatchImage(hatch, colour);
    return box;
  }

  function section(id, title, content) {
    const box = el("section", "", [el("h2", "", title), ...content]);
    box.id = id;
    return box;
  }

  planMap.fillHeader = function (view, header) {
    const { meta } = view.data;
    const lines = [];
    if (meta.stamp) lines.push(el("div", "stamp", meta.stamp));
    if (meta.synthetic) {
      lines.push(el("div", "synthetic", [el("strong", "", t("synthetic")), el("span", "", t("synthetic_note"))]));
    }
    const parts = [el("h1", "", meta.title)];
    if (meta.project !== meta.title) parts.push(el("p", "", meta.project));
    if (meta.gap !== null)
      parts.push(el("p", "quality", `${statusText(meta)} · ${t("gap_short", planMap.number(100 * meta.gap, 2))}`));
    lines.push(el("div", "heading", parts));
    if (meta.note) lines.push(el("div", "note", [el("b", "", t("note") + ": "), meta.note]));
    header.replaceChildren(...lines);
  };

  function statusText(meta) {
    return meta.status === "optimal" || meta.status === "feasible" ? t("status_" + meta.status) : meta.status;
  }

  function met(figures) {
    return figures.target_mu === null || figures.cumulative_mu >= figures.target_mu - 0.005;
  }

  function progress(figures, colour) {
    const goal = Math.max(figures.stretch_mu || 0, figures.target_mu || 0);
    if (goal === 0) return null;
    const bar = el("div", "progress");
    const share = (value) => `${Math.min(100, (100 * value) / Math.max(goal, figures.cumulative_mu))}%`;
    const done = el("span", "done");
    done.style.width = share(figures.cumulative_mu);
    done.style.background = colour;
    bar.append(done);
    if (figures.target_mu) {
      const mark = el("span", "mark");
      mark.style.left = share(figures.target_mu);
      bar.append(mark);
    }
    return bar;
  }

  function phaseRows(view, phase, number) {
    const name = el("td", "", [swatch(phase.colour), planMap.phaseName(view.data, number)]);
    const sign = el("span", met(phase) ? "met" : "missed", met(phase) ? "✓" : "✗");
    sign.title = t(met(phase) ? "target_met" : "target_missed");
    const target = el("td", "number", [mu(phase.target_mu) + " ", sign]);
    const rows = [
      el("tr", "", [name, el("td", "number", mu(phase.area_mu)), el("td", "number", mu(phase.cumulative_mu)), target]),
    ];
    const below = [];
    const bar = progress(phase, phase.colour);
    if (bar) below.push(bar);
    if (phase.stretch_mu !== null) {
      const short = phase.stretch_mu - phase.cumulative_mu;
      const text = short <= 0.005 ? t("stretch_met") : t("stretch_missed", mu(short));
      below.push(el("small", "", t("stretch_row", mu(phase.stretch_mu), text)));
    }
    if (phase.cost !== null) {
      below.push(el("small", "", `${t("phase_cost")}: ${planMap.money(phase.cost, view.data.meta.currency)}`));
    }
    if (below.length > 0) {
      const cell = el("td", "below", below);
      cell.colSpan = 4;
      rows.push(el("tr", "", [cell]));
    }
    return rows;
  }

  function phasesSection(view) {
    const head = ["phase", "in_phase", "cumulative", "target"].map((key, i) => el("th", i ? "number" : "", t(key)));
    const body = view.data.phases.flatMap((phase, i) => phaseRows(view, phase, i + 1));
    const table = el("table", "phases", [el("thead", "", [el("tr", "", head)]), el("tbody", "", body)]);
    return section("plan-phases", t("phases"), [table, ...zoneFigures(view)]);
  }

  function zoneFigures(view) {
    const { data } = view;
    if (data.zone_figures.length === 0) return [];
    const head = ["zone", "phase", "cumulative", "target"].map((key, i) => el("th", i > 1 ? "number" : "", t(key)));
    const rows = data.zone_figures.flatMap((zone) =>
      zone.phases.map((phase, i) =>
        el("tr", "", [
          el("td", "", i === 0 ? zone.name : ""),
          el("td", "", phase.id),
          el("td", "number", mu(phase.cumulative_mu)),
          el(
            "td",
            "number",
            phase.target_mu
              ? [mu(phase.target_mu) + " ", el("span", met(phase) ? "met" : "missed", met(phase) ? "✓" : "✗")]
              : "–",
          ),
        ]),
      ),
    );
    const table = el("table", "phases", [el("thead", "", [el("tr", "", head)]), el("tbody", "", rows)]);
    return [el("details", "", [el("summary", "", t("by_zone")), table])];
  }

  /** Legend of one colouring: every class that occurs, with its parcels and mu. */
  function legend(view) {
    const colouring = view.colourings[view.colouring];
    const totals = new Map(colouring.classes.map((c) => [c.key, { count: 0, mu: 0 }]));
    for (let row = 0; row < view.parcels.length; row += 1) {
      const total = totals.get(colouring.of(row));
      if (!total) continue;
      total.count += 1;
      total.mu += view.parcels.get("area_mu", row);
    }
    return colouring.classes
      .filter((c) => totals.get(c.key).count > 0)
      .map((c) => {
        const { count, mu: area } = totals.get(c.key);
        const figures = t("legend_count", planMap.number(count, 0), mu(area));
        return el("li", "", [swatch(c.colour, c.hatch), el("span", "label", c.label), el("span", "count", figures)]);
      });
  }

  /* Outlines that parcels have besides their colour, with how many have them. */
  function marks(view) {
    const { parcels, palette } = view;
    const rows = parcels.rows();
    const locked = (row) => (view.lockOf ? view.lockOf(row).kind : parcels.get("locked", row));
    const kinds = [
      ["filler", palette.filler_outline, "dotted", (row) => parcels.get("role", row) === "filler" && parcels.get("block_id", row) !== null],
      ["locked_in", palette.locked_in, "solid", (row) => ![null, "out"].includes(locked(row))],
      ["locked_out", palette.locked_out, "dashed", (row) => locked(row) === "out"],
    ];
    return kinds
      .map(([key, colour, line, test]) => [key, colour, line, rows.filter(test).length])
      .filter(([, , , count]) => count > 0)
      .map(([key, colour, line, count]) => {
        const box = el("span", "swatch");
        box.style.border = `2px ${line} ${colour}`;
        return el("li", "", [box, el("span", "label", t(key)), el("span", "count", planMap.number(count, 0))]);
      });
  }

  function choice(view, key, colouring, fill) {
    const input = el("input");
    Object.assign(input, { type: "radio", name: "colouring", value: key, checked: key === view.colouring });
    input.addEventListener("change", () => {
      planMap.colourBy(view, key);
      fill();
    });
    return el("label", "", [input, colouring.label]);
  }

  function legendSection(view) {
    const list = el("ul", "legend");
    const note = el("p", "hint", t("hatch_note"));
    const hatched = view.blocks.rows().some((row) => planMap.blockHatch(view, row) > 0);
    const fill = () => {
      list.replaceChildren(...legend(view), ...marks(view));
      note.hidden = !hatched || !view.colourings[view.colouring].hatched;
    };
    const choices = Object.entries(view.colourings).map(([key, colouring]) => choice(view, key, colouring, fill));
    const box = el("div", "choices", choices);
    box.setAttribute("role", "radiogroup");
    box.setAttribute("aria-label", t("colour_by"));
    fill();
    view.refreshLegend = fill;
    return section("plan-legend", t("colour_by"), [box, list, note]);
  }

  /* Leaflet takes layer names as HTML: these are our own labels and numbers, no attribute of the data. */
  function layerName({ key, symbol, colour, count, mu: area }) {
    const mark = el("span", "symbol " + symbol);
    if (colour) mark.style[symbol === "area" ? "background" : "borderColor"] = colour;
    const parts = [mark, el("span", "label", t(key))];
    if (count !== null) {
      const number = planMap.number(count, 0);
      parts.push(el("span", "count", area === undefined ? number : t("layer_count", number, mu(area))));
    }
    return el("span", "layer-name", parts).outerHTML;
  }

  function layersSection(view) {
    if (view.layerControl) view.layerControl.remove();
    const overlays = {};
    for (const layer of view.layers) overlays[layerName(layer)] = layer.group;
    const options = { collapsed: false, sortLayers: false, autoZIndex: false };
    view.layerControl = L.control.layers(null, overlays, options).addTo(view.map);
    return section("plan-layers", t("layers"), [...leftOut(view), view.layerControl.getContainer()]);
  }

  /* Land that the page does not hold, where there is too much of it. */
  function leftOut(view) {
    const { count, area_mu: area } = view.data.left_out;
    return count > 0 ? [el("p", "notice", t("left_out", planMap.number(count, 0), mu(area)))] : [];
  }

  function runSection(view) {
    const { meta } = view.data;
    const worth = (value) => planMap.money(value, meta.currency);
    const rows = [
      [t("status"), statusText(meta)],
      [t("objective"), worth(meta.objective)],
      [t("bound"), worth(meta.bound)],
      [t("gap"), meta.gap === null ? t("unknown") : planMap.number(100 * meta.gap, 2) + " %"],
      [t("areas_in"), meta.crs],
      [t("version"), meta.version],
      [t("config_hash"), meta.config_hash],
      [t("input_hash"), meta.input_hash],
    ].map(([label, value]) => {
      const cell = el("td", "", value.length > 16 && !value.includes(" ") ? value.slice(0, 12) + "…" : value);
      cell.title = value;
      return el("tr", "", [el("th", "", label), cell]);
    });
    return section("plan-run", t("run"), [el("table", "figures", rows)]);
  }

  const OWN = ["plan-phases", "plan-legend", "plan-layers", "plan-run"];

  /** Fills the panel, or fills our sections of it anew; sections of others stay where they are. */
  planMap.fillPanel = function (view, panel) {
    const scrolled = panel.scrollTop;
    const made = [phasesSection(view), legendSection(view), layersSection(view), runSection(view)];
    if (panel.querySelector("#" + OWN[0])) {
      for (const box of made) document.getElementById(box.id).replaceWith(box);
    } else {
      panel.append(...made);
    }
    panel.scrollTop = scrolled;
  };
})(window.planMap);
