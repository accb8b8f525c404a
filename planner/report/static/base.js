/* Numbers as text, small helpers, and the tables of the page. Text goes in by textContent, never as HTML. */
"use strict";

(function (planMap) {
  const t = planMap.t;

  const formats = new Map();

  /** Number with grouping and a fixed number of decimals; null is "unknown", never zero. */
  planMap.number = function (value, decimals) {
    if (value === null || value === undefined) return t("unknown");
    const key = `${t("locale")} ${decimals}`;
    if (!formats.has(key)) {
      const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
      formats.set(key, new Intl.NumberFormat(t("locale"), digits));
    }
    return formats.get(key).format(value);
  };

  planMap.mu = (value) => planMap.number(value, 2);
  planMap.muUnit = (value) =>
    value === null || value === undefined ? t("unknown") : planMap.mu(value) + " " + t("mu");

  const WAN = 10000;

  /** Money; in Chinese, yuan in 万元 as ledgers have them, small sums in 元. */
  planMap.money = function (value, currency) {
    if (value === null || value === undefined) return t("unknown");
    if (planMap.language() !== "zh" || currency !== "CNY") return currency + " " + planMap.number(value, 0);
    return Math.abs(value) < WAN ? t("yuan", planMap.number(value, 0)) : t("wan_yuan", planMap.number(value / WAN, 2));
  };

  /** Years counted from a base year are small numbers; calendar years speak for themselves. */
  planMap.year = (year) => (year === null ? "" : Math.abs(year) < 1000 ? t("year", year) : String(year));

  /** An element with a class and a text or children. */
  planMap.el = function (tag, className, content) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (Array.isArray(content)) element.append(...content);
    else if (content !== undefined && content !== null) element.textContent = String(content);
    return element;
  };

  /** A button with a text. */
  planMap.textButton = function (className, label, onClick) {
    const button = planMap.el("button", className, label);
    button.type = "button";
    button.addEventListener("click", onClick);
    return button;
  };

  /** An icon drawn with one SVG path in a 24 × 24 box. */
  planMap.icon = function (path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  };

  let refused = false;

  /** Lets `act` use the browser's store; null where there is none, as pages opened from a file may find. */
  planMap.stored = function (act) {
    try {
      return act(window.localStorage);
    } catch {
      refused = true;
      return null;
    }
  };

  /** Whether the browser has refused its store. */
  planMap.storeRefused = () => refused;

  function stay(event) {
    event.preventDefault();
    event.returnValue = "";
  }

  /** Whether the browser asks before it leaves the page. */
  planMap.warnBeforeLeaving = function (unsaved) {
    if (unsaved) window.addEventListener("beforeunload", stay);
    else window.removeEventListener("beforeunload", stay);
  };

  /** Columns and shapes of one layer, as `planner.report.encode` writes them. */
  planMap.Table = class {
    constructor(raw) {
      this.columns = raw.columns;
      this.shapes = raw.shapes;
      this.outlines = raw.outlines;
      this.length = raw.shapes.length;
    }

    has(name) {
      return name in this.columns;
    }

    get(name, row) {
      const column = this.columns[name];
      if (column === undefined) return null;
      if (Array.isArray(column)) return column[row];
      const code = column.codes[row];
      return code < 0 ? null : column.values[code];
    }

    /** Rows as a list of indices. */
    rows() {
      return Array.from({ length: this.length }, (_, row) => row);
    }

    /** Nested lists of L.LatLng, as Leaflet takes them. */
    latlngs(row) {
      return unpack(this.shapes[row]);
    }

    /** As `latlngs`, of the outline across lanes where there is one. */
    body(row) {
      const outline = this.outlines ? this.outlines[row] : [];
      return unpack(outline.length > 0 ? outline : this.shapes[row]);
    }

    hasBody(row) {
      return Boolean(this.outlines) && this.outlines[row].length > 0;
    }
  };

  /* A path is [lng, lat, Δlng, Δlat, …] in millionths of a degree; anything else is a list of shapes. */
  function unpack(shape) {
    if (shape.length === 0) return [];
    if (Array.isArray(shape[0])) return shape.map(unpack);
    const points = new Array(shape.length / 2);
    let x = 0;
    let y = 0;
    for (let i = 0; i < points.length; i += 1) {
      x += shape[2 * i];
      y += shape[2 * i + 1];
      points[i] = new L.LatLng(y / 1e6, x / 1e6);
    }
    return points;
  }

  /** Rings of a polygon as closed lines: an outline that does not catch clicks inside it. */
  planMap.outline = function (latlngs) {
    if (latlngs.length === 0) return [];
    if (latlngs[0] instanceof L.LatLng) return [[...latlngs, latlngs[0]]];
    return latlngs.flatMap(planMap.outline);
  };
})(window.planMap);
