/* Puts the page together, in the language that is set; the tables stand before the maps are drawn. */
"use strict";

(function (planCompare, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;
  const PARTS = ["indicators", "maps", "agreement", "prices", "settings", "land"];

  function newState(data) {
    const parcels = new planMap.Table(data.parcels);
    const shapes = (list) => new planMap.Table({ columns: {}, shapes: list });
    const all = (list) => shapes(list).rows().map((row) => shapes(list).latlngs(row));
    const details = el("div", "parcel-details");
    details.setAttribute("aria-live", "polite");
    details.hidden = true;
    return {
      parcels,
      latlngs: parcels.rows().map((row) => parcels.latlngs(row)),
      bodies: data.plans.map((plan) => all(plan.blocks.shapes)),
      parcelWidthM: medianWidth(data.parcels.columns.area_mu),
      zones: all(data.context.zones),
      areas: all(data.context.barrier_areas),
      lines: all(data.context.barrier_lines),
      shown: ["0", data.plans.length > 1 ? "1" : "0"],
      maps: [],
      view: null,
      open: null,
      details,
    };
  }

  /* Side of a square of the median area: 1 mu is 10 000 / 15 m². */
  function medianWidth(areas) {
    const sorted = [...areas].sort((a, b) => a - b);
    return sorted.length ? Math.sqrt((sorted[Math.floor(sorted.length / 2)] * 10000) / 15) : 0;
  }

  function header(data, state) {
    const parts = [];
    if (data.synthetic) {
      parts.push(el("div", "synthetic", [el("strong", "", t("synthetic")), el("span", "", t("synthetic_note"))]));
    }
    const titles = [...new Set(data.plans.map((plan) => plan.title))].join(" · ");
    const heading = [el("h1", "", `${t("compare_title")}: ${titles}`), languages(data, state)];
    parts.push(el("div", "heading", heading));
    const links = PARTS.map((name) => {
      const link = el("a", "", t("compare_" + name));
      link.href = "#part-" + name;
      return link;
    });
    const nav = el("nav", "", links);
    nav.setAttribute("aria-label", t("compare_sections"));
    parts.push(nav);
    return [...parts, ...notes(data)];
  }

  /* The assumptions of the plans; those that differ with the plans that make them. */
  function notes(data) {
    const texts = [...new Set(data.plans.map((plan) => plan.note).filter(Boolean))];
    return texts.map((text) => {
      const makers = data.plans.filter((plan) => plan.note === text).map((plan) => plan.name);
      const whose = makers.length < data.plans.length ? ` (${makers.join(", ")})` : "";
      return el("p", "note", `${t("note")}${whose}: ${text}`);
    });
  }

  function languages(data, state) {
    const buttons = [
      ["en", "English"],
      ["zh", "中文"],
    ].map(([language, name]) => {
      const button = el("button", "", name);
      button.type = "button";
      button.lang = language === "zh" ? "zh-CN" : language;
      button.dataset.language = language;
      button.setAttribute("aria-pressed", String(language === planMap.language()));
      button.addEventListener("click", () => {
        render(data, state, language);
        document.querySelector(`[data-language="${language}"]`).focus();
      });
      return button;
    });
    const box = el("div", "languages", buttons);
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", t("compare_language"));
    return box;
  }

  function render(data, state, language) {
    planMap.setLanguage(language);
    for (const side of state.maps) side.map.remove();
    state.maps = [];
    const maps = planCompare.maps(data, state);
    document.getElementById("compare-header").replaceChildren(...header(data, state));
    document.getElementById("compare-main").replaceChildren(
      planCompare.indicators(data),
      maps.section,
      planCompare.agreement(data),
      planCompare.prices(data),
      planCompare.settings(data),
      planCompare.land(data),
    );
    document.title = `${t("compare_title")}: ${data.plans[0].title}`;
    document.body.dataset.ready = "false";
    /* The tables are painted first; the maps follow. */
    requestAnimationFrame(() =>
      setTimeout(() => {
        planCompare.drawMaps(data, state, maps.sides);
        if (state.open !== null) planCompare.openParcel(data, state, state.open);
        document.body.dataset.ready = "true";
      }, 0),
    );
  }

  planCompare.start = function (data) {
    planMap.setLabels(data.labels);
    planMap.setLanguage(data.language);
    const state = newState(data);
    planCompare.data = data;
    planCompare.state = state;
    render(data, state, data.language);
  };
})(window.planCompare, window.planMap);
