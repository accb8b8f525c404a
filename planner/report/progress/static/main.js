/* Puts the page together, in the language that is set; the tables stand before the map is drawn. */
"use strict";

(function (planProgress, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;
  const PARTS = ["headline", "map", "projects", "slips", "expiring", "findings", "definitions"];

  const title = (report) => `${t("mon_title", report.at)}: ${report.title}`;

  function header(data, state) {
    const { report } = data;
    const parts = [];
    if (report.synthetic) {
      parts.push(el("div", "synthetic", [el("strong", "", t("synthetic")), el("span", "", t("synthetic_note"))]));
    }
    parts.push(el("div", "heading", [el("h1", "", title(report)), languages(data, state)]));
    const links = PARTS.map((name) => {
      const link = el("a", "", t("mon_part_" + name));
      link.href = "#part-" + name;
      return link;
    });
    const nav = el("nav", "", links);
    nav.setAttribute("aria-label", t("mon_parts"));
    parts.push(nav);
    if (report.note) parts.push(el("p", "note", `${t("note")}: ${report.note}`));
    const { version, input_hash: input } = report.plan;
    const plan = t("mon_plan", version || "", String(input || "").slice(0, 12));
    parts.push(el("p", "note", `${t("mon_entries", report.entries)} · ${plan}`));
    return parts;
  }

  function languages(data, state) {
    const buttons = [
      ["en", "English"],
      ["zh", "中文"],
    ].map(([language, name]) => {
      const button = planMap.textButton("", name, () => {
        render(data, state, language);
        document.querySelector(`[data-language="${language}"]`).focus();
      });
      button.lang = language === "zh" ? "zh-CN" : language;
      button.dataset.language = language;
      button.setAttribute("aria-pressed", String(language === planMap.language()));
      return button;
    });
    const box = el("div", "languages", buttons);
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", t("mon_language"));
    return box;
  }

  function render(data, state, language) {
    planMap.setLanguage(language);
    if (state.map) state.map.remove();
    state.map = null;
    const map = planProgress.map(data);
    document.getElementById("progress-header").replaceChildren(...header(data, state));
    document.getElementById("progress-main").replaceChildren(
      planProgress.headline(data),
      map.section,
      planProgress.projects(data),
      planProgress.slips(data),
      planProgress.expiring(data),
      planProgress.findings(data),
      planProgress.definitions(data),
    );
    document.title = title(data.report);
    document.body.dataset.ready = "false";
    requestAnimationFrame(() =>
      setTimeout(() => {
        planProgress.drawMap(data, state, map.frame);
        document.body.dataset.ready = "true";
      }, 0),
    );
  }

  planProgress.start = function (data) {
    planMap.setLabels(data.labels);
    planMap.setLanguage(data.language);
    const state = { map: null, blocks: [] };
    planProgress.data = data;
    planProgress.view = state;
    render(data, state, planMap.language());
  };
})(window.planProgress, window.planMap);
