/* The tables: indicators, prices of rules, land that plans agree on, settings, land. */
"use strict";

(function (planCompare, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;
  const { head } = planCompare;

  /* ---- indicators */

  const NO_DIFFERENCE = new Set(["text", "seconds"]);
  const ALREADY_DIFFERENCES = new Set(["over_target", "over_stretch"]);

  planCompare.indicators = function (data) {
    const columns = [head(t("compare_indicator"), "col"), head(t("compare_unit"), "col"), ...planCompare.planHeads(data)];
    const bodies = [];
    for (const name of [...new Set(data.rows.map((row) => row.section))]) {
      const rows = data.rows.filter((row) => row.section === name).map((row) => indicatorRow(row, data));
      const title = head(t("compare_section_" + name), "rowgroup", "group");
      title.colSpan = columns.length;
      bodies.push(el("tbody", "", [el("tr", "", [title]), ...rows]));
    }
    return planCompare.section("indicators", [
      el("p", "hint", t("compare_against", data.plans[0].name)),
      planCompare.table("indicators", t("compare_indicators"), columns, bodies),
      el("p", "hint", t("compare_unknown_hint")),
    ]);
  };

  function indicatorRow(row, data) {
    const of = row.key === "blocks_of" ? row.of : [planCompare.phaseOf(...row.of)];
    const name = head(t("compare_" + row.key, ...of), "row");
    const unit = el("td", "unit", planCompare.unit(row.unit, data.currency));
    const line = el("tr", "", [name, unit, ...row.cells.map((cell, i) => indicatorCell(row, cell, i))]);
    line.dataset.row = [row.key, ...row.of].join(" ");
    return line;
  }

  function indicatorCell(row, cell, i) {
    if (cell === null) {
      const none = el("td", "absent", t("compare_absent"));
      none.title = t("compare_absent_hint");
      return none;
    }
    const best = row.best[i];
    const parts = [el("span", "value", valueText(row, cell.value))];
    if (best) {
      const mark = el("span", "best-mark", t("compare_best"));
      mark.title = t("compare_best_hint");
      parts.unshift(mark);
    }
    if (row.differences[i] !== null && !NO_DIFFERENCE.has(row.unit)) {
      const relative = !ALREADY_DIFFERENCES.has(row.key) && row.unit !== "ratio";
      const text = planCompare.difference(row.differences[i], row.cells[0].value, row.unit, relative);
      parts.push(el("small", "difference", text));
    }
    if (row.unlike[i]) {
      const mark = el("small", "unlike", t("compare_unlike"));
      mark.title = t("compare_unlike_hint");
      parts.push(mark);
    }
    if (cell.unknown) parts.push(el("small", "partly", t("compare_unknown_parcels", planMap.number(cell.unknown, 0))));
    return el("td", [row.unit === "text" ? "text" : "number", best ? "best" : ""].join(" ").trim(), parts);
  }

  function valueText(row, value) {
    if (value === null) return t("unknown");
    if (row.unit !== "text") return planCompare.figure(value, row.unit);
    if (row.key.endsWith("_hash")) return value.slice(0, 12);
    const word = `compare_${row.key}_${value}`;
    return planMap.hasLabel(word) ? t(word) : value;
  }

  /* ---- prices of rules */

  planCompare.prices = function (data) {
    if (data.prices.length === 0) {
      return planCompare.section("prices", [el("p", "hint", t("compare_price_none"))]);
    }
    const rows = data.prices.map((rule) =>
      el("tr", "", [
        head(rule.title, "row"),
        el("td", "unit", planCompare.unit("money", data.currency)),
        ...rule.cells.map(priceCell),
      ]),
    );
    const columns = [head(t("compare_rule"), "col"), head(t("compare_unit"), "col"), ...planCompare.planHeads(data)];
    return planCompare.section("prices", [
      el("p", "hint", t("compare_price_hint")),
      planCompare.table("prices", t("compare_prices"), columns, [el("tbody", "", rows)]),
    ]);
  };

  function priceCell(cell) {
    if (cell === null) return el("td", "absent", t("compare_price_not_asked"));
    const share = interval(cell.share, "share");
    const parts = [el("span", "value", interval(cell.loss, "money"))];
    if (cell.share.low !== null || cell.share.high !== null) parts.push(el("small", "difference", share + " %"));
    if (cell.title !== null) parts.push(el("small", "difference", cell.title));
    return el("td", "number", parts);
  }

  function interval({ low, high }, unit) {
    const [from, to] = [low, high].map((value) => (value === null ? null : planCompare.figure(value, unit)));
    if (from === null && to === null) return t("unknown");
    if (to === null) return t("compare_at_least", from);
    if (from === null) return t("compare_at_most", to);
    return from === to ? from : t("compare_between", from, to);
  }

  /* ---- land that plans agree on */

  planCompare.agreement = function (data) {
    const { land } = data;
    const rows = land.picked.map((sum) => sumRow(planCompare.timesLabel(sum.plans, data), sum, land, swatch(sum, data)));
    rows.splice(1, 0, sumRow(t("compare_picked_same"), land.same_phase, land, null, "inner"));
    const only = land.only.map((sum, i) =>
      sumRow(t("compare_picked_only", data.plans[i].name), sum, land, null, "inner"),
    );
    rows.splice(rows.length - 1, 0, ...only);
    rows.push(sumRow(t("compare_total"), { parcels: land.parcels, area_mu: land.area_mu }, land, null, "total"));
    const columns = ["compare_picks", "compare_parcels", "compare_mu", "compare_share_of_land"].map((key) =>
      head(t(key), "col"),
    );
    return planCompare.section("agreement", [
      planCompare.table("agreement", t("compare_agreement"), columns, [el("tbody", "", rows)]),
    ]);
  };

  function swatch(sum, data) {
    return planCompare.swatch(data.palette.agreement[sum.plans], planCompare.agreementHatch(sum.plans, data));
  }

  function sumRow(label, sum, land, mark, className) {
    const name = head(mark ? [mark, el("span", "", label)] : label, "row");
    const figures = [
      planMap.number(sum.parcels, 0),
      planMap.mu(sum.area_mu),
      planMap.number((100 * sum.area_mu) / land.area_mu, 1),
    ];
    return el("tr", className, [name, ...figures.map((text) => el("td", "number", text))]);
  }

  /** "every plan picks it", "2 of 3 plans pick it", "no plan picks it". */
  planCompare.timesLabel = function (times, data) {
    const plans = data.plans.length;
    if (times === 0) return t("compare_picked_none");
    return times === plans ? t("compare_picked_all") : t("compare_picked_some", times, plans);
  };

  /* ---- settings */

  planCompare.settings = function (data) {
    if (data.settings.length === 0) {
      return planCompare.section("settings", [el("p", "hint", t("compare_settings_same"))]);
    }
    const rows = data.settings.map((setting) =>
      el("tr", "", [head([el("code", "", setting.key)], "row"), ...setting.values.map(settingCell)]),
    );
    const columns = [head(t("compare_setting"), "col"), ...planCompare.planHeads(data)];
    return planCompare.section("settings", [
      el("p", "hint", t("compare_settings_hint")),
      planCompare.table("settings", t("compare_settings"), columns, [el("tbody", "", rows)]),
    ]);
  };

  function settingCell(value) {
    const text = {
      text: () => value.text,
      yes: () => t("yes"),
      no: () => t("no"),
      absent: () => t("compare_setting_absent"),
      none: () => t("compare_setting_none"),
      hidden: () => t("compare_setting_hidden"),
      section: () => t("compare_setting_section", planMap.number(value.count, 0)),
      list: () => listText(value),
    }[value.kind]();
    return el("td", "setting " + value.kind, text);
  }

  function listText({ count, text, more }) {
    if (!text) return t("compare_setting_list", planMap.number(count, 0));
    const told = more ? `${text}, ${t("compare_setting_more", planMap.number(more, 0))}` : text;
    return t("compare_setting_entries", planMap.number(count, 0), told);
  }

  /* ---- land */

  planCompare.land = function (data) {
    const { land } = data;
    const parts = [];
    if (land.missing.every((missing) => missing.count === 0)) parts.push(el("p", "hint", t("compare_land_same")));
    else parts.push(missingTable(data));
    if (land.other_area.count > 0) {
      parts.push(el("p", "warning", t("compare_land_area", planMap.number(land.other_area.count, 0))));
      parts.push(idList(land.other_area));
    }
    return planCompare.section("land", parts);
  };

  function missingTable(data) {
    const { land } = data;
    const rows = data.plans.map((plan, i) => {
      const { count, area_mu: area } = land.missing[i];
      const missing = el("td", "", [
        el("span", "value", `${planMap.number(count, 0)} · ${t("compare_legend_mu", planMap.mu(area))}`),
        ...(count ? [idList(land.missing[i])] : []),
      ]);
      return el("tr", "", [head(plan.name, "row"), el("td", "number", planMap.number(land.held[i], 0)), missing]);
    });
    const columns = ["compare_plan", "compare_land_held", "compare_land_missing"].map((key) => head(t(key), "col"));
    return planCompare.table("land", t("compare_land"), columns, [el("tbody", "", rows)]);
  }

  function idList({ ids, more }) {
    const text = ids.join(", ") + (more ? " " + t("compare_list_more", planMap.number(more, 0)) : "");
    return el("details", "ids", [el("summary", "", t("compare_list")), el("p", "", text)]);
  }
})(window.planCompare, window.planMap);
