/* The figures asked for first: cleared, accepted, left, forecast; the phase that runs as a bar; all phases. */
"use strict";

(function (planProgress, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;
  const LOWEST_FULL = 1.12;

  planProgress.headline = function (data) {
    const { report } = data;
    const phase = planProgress.running(data);
    const runs = t(report.phase_over ? "mon_phase_over" : "mon_phase_runs", phase.id, phase.begins, phase.ends);
    const counts = t("mon_counts", t("mon_counts_" + phase.counts), t("milestone_" + phase.milestone));
    return planProgress.section("headline", [
      el("p", "runs", [el("strong", "", runs), el("span", "hint", counts)]),
      el("div", "cards", [done(report, phase, "cleared"), done(report, phase, "accepted"), left(report), met(phase)]),
      bar(phase),
      phases(report),
    ]);
  };

  function card(name, label, figure, lines) {
    return el("div", "card " + name, [
      el("div", "card-label", label),
      el("div", "card-figure", figure),
      ...lines.map(([text, kind]) => el("div", "card-line " + (kind || ""), text)),
    ]);
  }

  function done(report, phase, what) {
    const { headline } = report;
    const lines = [];
    const goals = [
      ["mon_of_floor", headline[what + "_of_target"], phase.target_mu],
      ["mon_of_stretch", headline[what + "_of_stretch"], phase.stretch_mu],
    ];
    for (const [label, share, goal] of goals) {
      if (share !== null) lines.push([t(label, planProgress.share(share), planMap.mu(goal))]);
    }
    const unknown = headline[what + "_unknown"];
    if (unknown) lines.push([t("mon_unknown_projects", unknown), "partly"]);
    return card(what, t("mon_" + what), planMap.muUnit(headline[what + "_mu"]), lines);
  }

  function left(report) {
    const { headline } = report;
    const lines = [[t("mon_left_projects", headline.open_projects, headline.projects)]];
    if (headline.to_clear_unknown) lines.push([t("mon_left_unknown", headline.to_clear_unknown), "partly"]);
    if (headline.dropped_projects) {
      lines.push([t("mon_dropped", headline.dropped_projects, planMap.mu(headline.dropped_mu)), "partly"]);
    }
    return card("left", t("mon_left"), planMap.muUnit(headline.to_clear_mu), lines);
  }

  function met(phase) {
    const label = t("mon_forecast", phase.id);
    if (phase.target_mu <= 0) return card("forecast", label, t("mon_none"), [[t("mon_no_target")]]);
    const lines = [[t("mon_if")]];
    if (phase.target_month === null) lines.unshift([t("mon_forecast_never"), "bad"]);
    else if (phase.late_by > 0) lines.unshift([t("mon_forecast_late", phase.late_by, phase.ends), "bad"]);
    else lines.unshift([t("mon_forecast_in_time", phase.ends), "good"]);
    const short = `${t("mon_bar_forecast")}: ${t("mon_forecast_short", planMap.mu(phase.short_mu))}`;
    if (phase.short_mu > 0) lines.splice(1, 0, [short, "bad"]);
    if (phase.stretch_mu !== null) lines.push([t("mon_stretch_met", phase.stretch_month || t("mon_never"))]);
    return card("forecast", label, phase.target_month || t("mon_never"), lines);
  }

  /* What counts now, dark, and by the end of the phase, pale, on a line as long as the highest of all; goals as marks. */
  function bar(phase) {
    const goals = [phase.target_mu, phase.stretch_mu].filter((goal) => goal);
    const most = Math.max(phase.forecast_mu, phase.counted_mu, ...goals) * LOWEST_FULL || 1;
    const part = (className, value) => {
      const box = el("div", className);
      box.style.width = (100 * value) / most + "%";
      return box;
    };
    const mark = (className, value, label) => {
      const box = el("div", "mark " + className, [el("span", "", `${label} ${planMap.mu(value)}`)]);
      box.style.left = (100 * value) / most + "%";
      return box;
    };
    const line = el("div", "bar", [part("forecast", phase.forecast_mu), part("counted", phase.counted_mu)]);
    if (phase.target_mu > 0) line.append(mark("floor", phase.target_mu, t("mon_bar_floor")));
    if (phase.stretch_mu) line.append(mark("stretch", phase.stretch_mu, t("mon_bar_stretch")));
    line.setAttribute("role", "img");
    const figures = [phase.counted_mu, phase.forecast_mu, phase.target_mu].map(planMap.mu);
    line.setAttribute("aria-label", t("mon_bar", ...figures));
    const legend = el("p", "bar-legend", [
      el("span", "key counted"),
      el("span", "", `${t("mon_bar_counted")} ${planMap.muUnit(phase.counted_mu)}`),
      el("span", "key forecast"),
      el("span", "", `${t("mon_bar_forecast")} ${planMap.muUnit(phase.forecast_mu)}`),
    ]);
    return el("div", "bar-box", [line, legend]);
  }

  function phases(report) {
    const keys = ["target", "stretch", "planned_now", "counted", "share", "planned", "forecast_end"];
    const heads = [
      [t("mon_phase"), ""],
      [t("mon_ends"), ""],
      ...keys.map((key) => [t("mon_" + key), "number"]),
      [t("mon_floor_month"), ""],
      [t("mon_stretch_month"), ""],
    ];
    const month = (value, goal) => el("td", value ? "" : "soft", value || t(goal ? "mon_never" : "mon_none"));
    /* With the months by which it comes after the end of its phase. */
    const floorMonth = (phase) => {
      const cell = month(phase.target_month, phase.target_mu);
      if (phase.target_month === null && phase.target_mu > 0) cell.className = "bad";
      if (phase.late_by > 0) cell.append(el("b", "late", ` (${planProgress.slip(phase.late_by)})`));
      return cell;
    };
    const rows = report.phases.map((phase) => {
      const figure = (value) => el("td", "number", value === null ? t("mon_none") : planMap.mu(value));
      const row = el("tr", phase.id === report.running_phase ? "runs" : "", [
        planProgress.head(phase.id, "row"),
        el("td", "", phase.ends),
        figure(phase.target_mu),
        figure(phase.stretch_mu),
        figure(phase.planned_now_mu),
        figure(phase.counted_mu),
        el("td", "number", planProgress.share(phase.counted_of_target)),
        figure(phase.planned_mu),
        figure(phase.forecast_mu),
        floorMonth(phase),
        month(phase.stretch_month, phase.stretch_mu),
      ]);
      return row;
    });
    return planProgress.table("phases", t("mon_phase"), heads, rows);
  }
})(window.planProgress, window.planMap);
