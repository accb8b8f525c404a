/* Small parts that several sections are made of. Text goes in by textContent, never as HTML. */
"use strict";

window.planProgress = {};

(function (planProgress, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;

  /** A head cell of a column or a row. */
  planProgress.head = function (content, scope, className) {
    const cell = el("th", className, content);
    cell.scope = scope;
    return cell;
  };

  /** A table in a box that scrolls sideways; it can be reached with the keyboard. Heads are [text, class]. */
  planProgress.table = function (className, caption, heads, rows) {
    const cells = heads.map(([text, kind]) => planProgress.head(text, "col", kind));
    const table = el("table", className, [
      el("caption", "unseen", caption),
      el("thead", "", [el("tr", "", cells)]),
      el("tbody", "", rows),
    ]);
    const box = el("div", "table-box", [table]);
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", caption);
    return box;
  };

  /** A section with a heading that the list of parts points to. */
  planProgress.section = function (name, parts) {
    const section = el("section", "", [el("h2", "", t("mon_part_" + name)), ...parts]);
    section.id = "part-" + name;
    return section;
  };

  planProgress.share = (value) => (value === null ? "" : planMap.number(100 * value, 1) + " %");

  /** "+3", "−1", or nothing. */
  planProgress.slip = (months) => (months ? (months > 0 ? "+" : "−") + Math.abs(months) : "");

  /** A square in colour and hatch of a state, as on the map. */
  planProgress.swatch = function (data, state) {
    const { colour, hatch } = data.palette.states[state];
    const box = el("span", "swatch");
    box.style.backgroundColor = colour;
    if (hatch) box.style.backgroundImage = planMap.hatchImage(hatch, colour);
    return box;
  };

  /** Square and name of a state. */
  planProgress.state = (data, state) =>
    el("span", "state", [planProgress.swatch(data, state), el("span", "", t("mon_shown_" + state))]);

  planProgress.running = (data) => data.report.phases.find((phase) => phase.id === data.report.running_phase);
})(window.planProgress, window.planMap);
