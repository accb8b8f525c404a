/* Figures of the tables as text, by unit; and small parts that several sections are made of. */
"use strict";

window.planCompare = {};

(function (planCompare, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;

  /* Unit → what a value is divided by, decimals, label of the unit. */
  const units = {
    mu: [1, 2],
    money: [1e4, 0],
    floor: [1e4, 2],
    m: [1, 0],
    count: [1, 0],
    share: [0.01, 2],
    ratio: [1, 3],
    yuan_per_mu: [1, 0],
    seconds: [1, 1],
  };

  /** A value in its unit; the unit itself stands once in its row. */
  planCompare.figure = function (value, unit) {
    if (value === null) return t("unknown");
    const [step, decimals] = units[unit];
    return planMap.number(value / step, decimals);
  };

  /** A difference with its sign, and with `relative` as a share of what it is a difference to. */
  planCompare.difference = function (value, base, unit, relative) {
    if (value === 0) return t("compare_equal");
    const [step, decimals] = units[unit];
    const text = signed(value / step, decimals);
    if (unit === "share") return t("compare_points", text);
    return relative && base ? `${text} (${signed((100 * value) / Math.abs(base), 1)} %)` : text;
  };

  /* What is shown as nought has no direction. */
  function signed(value, decimals) {
    const shown = planMap.number(Math.abs(value), decimals);
    if (!/[1-9]/.test(shown)) return "±" + shown;
    return (value < 0 ? "−" : "+") + shown;
  }

  planCompare.unit = function (unit, currency) {
    return unit === "text" || unit === "count" ? "" : t("compare_unit_" + unit, currency);
  };

  /** "P1 · year 1" of what a figure is of: an id, and a year or nothing. */
  planCompare.phaseOf = function (id, year) {
    if (year === null || year === undefined || year === "") return id;
    return `${id} · ${planMap.year(Number(year))}`;
  };

  /** A head cell of a column or a row. */
  planCompare.head = function (content, scope, className) {
    const cell = el("th", className, content);
    cell.scope = scope;
    return cell;
  };

  /** A table in a box that scrolls sideways; it can be reached with the keyboard. */
  planCompare.table = function (className, caption, head, body) {
    const table = el("table", className, [
      el("caption", "unseen", caption),
      el("thead", "", [el("tr", "", head)]),
      ...body,
    ]);
    const box = el("div", "table-box", [table]);
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", caption);
    return box;
  };

  planCompare.planHeads = (data) => data.plans.map((plan) => planCompare.head(plan.name, "col", "plan"));

  /** A section with a heading that the list of parts points to. */
  planCompare.section = function (name, parts) {
    const section = el("section", "", [el("h2", "", t("compare_" + name)), ...parts]);
    section.id = "part-" + name;
    return section;
  };
})(window.planCompare, window.planMap);
