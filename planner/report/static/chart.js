/* Cumulative area by phase against target and stretch, as a small SVG chart that follows the slider. */
"use strict";

(function (planMap) {
  const { t } = planMap;
  const NS = "http://www.w3.org/2000/svg";
  const SIZE = { width: 320, height: 96, left: 6, right: 6, top: 17, bottom: 15 };

  function svg(tag, attributes, text) {
    const element = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    if (text !== undefined) element.textContent = text;
    return element;
  }

  /* A bar: the land of each phase up to this one, the first at the bottom. */
  function bar(phases, i, x, width, y) {
    let below = 0;
    return phases.slice(0, i + 1).map((phase) => {
      const top = y(below + phase.area_mu);
      const height = Math.max(0, y(below) - top);
      below += phase.area_mu;
      return svg("rect", { x, y: top, width, height, fill: phase.colour });
    });
  }

  function goals(phase, x, width, y) {
    const lines = [
      ["target", phase.target_mu],
      ["stretch", phase.stretch_mu],
    ];
    return lines
      .filter(([, mu]) => mu !== null && mu > 0)
      .map(([kind, mu]) => svg("line", { class: kind, x1: x - 5, x2: x + width + 5, y1: y(mu), y2: y(mu) }));
  }

  function describe(data) {
    const texts = data.phases.map((phase, i) => {
      const goal = phase.target_mu ? t("mu_of_target", planMap.mu(phase.cumulative_mu), planMap.mu(phase.target_mu)) : "";
      return `${planMap.phaseName(data, i + 1)}: ${goal || planMap.muUnit(phase.cumulative_mu)}`;
    });
    return `${t("chart_title")}. ${texts.join("; ")}`;
  }

  /**
   * The chart as an element, with `follow(step)`: bars up to that phase are full, later ones pale.
   */
  planMap.phaseChart = function (view) {
    const { data } = view;
    const { phases } = data;
    const { width, height, left, right, top, bottom } = SIZE;
    const most = Math.max(...phases.flatMap((p) => [p.cumulative_mu, p.target_mu || 0, p.stretch_mu || 0]), 1);
    const y = (mu) => top + (height - top - bottom) * (1 - mu / most);
    const slot = (width - left - right) / phases.length;
    const wide = Math.min(44, slot * 0.55);
    const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": describe(data) });
    const base = height - bottom;
    chart.append(svg("line", { class: "axis", x1: left, x2: width - right, y1: base, y2: base }));
    const groups = phases.map((phase, i) => {
      const x = left + slot * (i + 0.5) - wide / 2;
      const middle = x + wide / 2;
      const outline = { class: "outline", x, y: y(phase.cumulative_mu), width: wide, height: base - y(phase.cumulative_mu) };
      const group = svg("g", {});
      const above = Math.min(y(phase.cumulative_mu), y(phase.target_mu || 0), y(phase.stretch_mu || 0)) - 4;
      group.append(
        ...bar(phases, i, x, wide, y),
        svg("rect", outline),
        ...goals(phase, x, wide, y),
        svg("text", { class: "value", x: middle, y: above }, planMap.number(phase.cumulative_mu, 0)),
        svg("text", { class: "phase-id", x: middle, y: height - 3 }, phase.id),
      );
      chart.append(group);
      return group;
    });
    const follow = (step) => {
      groups.forEach((group, i) => {
        group.setAttribute("class", i < step ? "done" : "later");
        group.classList.toggle("current", i === step - 1);
      });
    };
    return { chart, follow };
  };
})(window.planMap);
