/* Projects with their milestones, what slips, what runs out, what is to be looked at, and the definitions. */
"use strict";

(function (planProgress, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;
  const SOON_DAYS = 92;

  planProgress.projects = function (data) {
    const { report } = data;
    const heads = [
      [t("mon_code"), ""],
      [t("mon_name"), ""],
      [`${t("mon_zone")} · ${t("mon_village")}`, ""],
      [t("mon_phase"), ""],
      [t("mon_state"), ""],
      [t("mon_slip"), "number"],
      [t("mon_cleared_of"), "number"],
      [t("mon_accepted_of"), "number"],
      ...data.milestones.map((name) => [t("milestone_" + name), "step"]),
      [t("mon_remark"), "remark"],
    ];
    const rows = report.projects.map((project) => projectRow(data, project));
    return planProgress.section("projects", [
      el("p", "hint", t("mon_reading")),
      planProgress.table("projects", t("mon_part_projects"), heads, rows),
    ]);
  };

  function projectRow(data, project) {
    const modes = data.report.modes[planMap.language()];
    const mode = project.mode === null ? "" : modes[project.mode] || project.mode;
    const code = planProgress.head(project.code, "row", "code");
    const under = [mode, project.fixed ? t("mon_fixed") : ""].filter(Boolean).join(" · ");
    const name = el("td", "name", [el("span", "", project.name)]);
    if (under) name.append(el("small", "", under));
    const place = el("td", "place", [el("span", "", project.zone || "")]);
    if (project.village) place.append(el("small", "", project.village));
    const row = el("tr", project.state, [
      code,
      name,
      place,
      el("td", "", project.phase),
      stateCell(data, project),
      el("td", "number slip", planProgress.slip(project.slip)),
      against(project, "cleared"),
      against(project, "accepted"),
      ...data.milestones.map((milestone) => step(project.steps[milestone])),
      el("td", "remark", project.remark),
    ]);
    row.id = "project-" + project.block_id;
    return row;
  }

  function stateCell(data, project) {
    const cell = el("td", "", [planProgress.state(data, project.state)]);
    if (!project.entered) cell.append(el("small", "", t("mon_nothing_entered")));
    return cell;
  }

  function step(found) {
    const cell = el("td", "step");
    if (!found) return cell;
    cell.append(el("span", "planned", found.planned || ""));
    let now = null;
    if (found.reached !== null) now = el("span", "reached", "✓ " + found.reached);
    else if (found.passed) now = el("span", "reached", t("mon_passed"));
    else if (found.forecast !== null && found.forecast !== found.planned) {
      now = el("span", "forecast", "→ " + found.forecast);
    }
    if (now === null) return cell;
    if (found.slip) now.append(el("b", found.slip > 0 ? "late" : "early", ` (${planProgress.slip(found.slip)})`));
    cell.append(now);
    return cell;
  }

  /* Entered over planned; known to be there but not how much is unknown, not nought. */
  function against(project, what) {
    const entered = project[what + "_mu"];
    const planned = planMap.mu(project[`planned_${what}_mu`]);
    const cell = el("td", "number");
    if (entered !== null) cell.append(el("b", "", planMap.mu(entered)));
    else if (project[what + "_unknown"]) cell.append(el("b", "partly", t("unknown")));
    cell.append(el("span", "soft", ` / ${planned}`));
    if (entered !== null) cell.append(el("small", "", planProgress.share(project[what + "_share"])));
    return cell;
  }

  planProgress.slips = function (data) {
    const { slipping } = data.report;
    if (!slipping.length) return planProgress.section("slips", [el("p", "", t("mon_no_slips"))]);
    const heads = [
      [t("mon_code"), ""],
      [t("mon_name"), ""],
      [t("mon_at_stake"), "number"],
      [t("mon_slip"), "number"],
      [t("mon_coming"), ""],
      [t("mon_coming_planned"), ""],
      [t("mon_coming_forecast"), ""],
    ];
    const rows = slipping.map((item) =>
      el("tr", "", [
        planProgress.head(item.code, "row", "code"),
        el("td", "", item.name),
        el("td", "number", planMap.mu(item.at_stake_mu)),
        el("td", "number slip", planProgress.slip(item.slip)),
        el("td", "", t("milestone_" + item.milestone)),
        el("td", "", item.planned),
        el("td", "", item.forecast),
      ]),
    );
    return planProgress.section("slips", [planProgress.table("slips", t("mon_part_slips"), heads, rows)]);
  };

  planProgress.expiring = function (data) {
    const { expiring, unknown_leases: unknown } = data.report;
    const isSoon = (item) => item.months_left === null || item.months_left <= data.soon_months;
    const soon = expiring.filter(isSoon);
    const later = expiring.filter((item) => !isSoon(item));
    const parts = [];
    if (soon.length) parts.push(expiringTable(soon, "soonest"));
    else parts.push(el("p", "", t("mon_nothing_expires", data.soon_months)));
    if (later.length) {
      const summary = el("summary", "", t("mon_later", later.length));
      parts.push(el("details", "later", [summary, expiringTable(later, "later")]));
    }
    if (unknown === null) parts.push(el("p", "hint", t("mon_no_leases")));
    else if (unknown) parts.push(el("p", "hint", t("mon_leases_unknown", planMap.number(unknown, 0))));
    return planProgress.section("expiring", parts);
  };

  function expiringTable(items, className) {
    const heads = ["code", "what", "number", "until", "left_time"].map((key) => [t("mon_" + key), ""]);
    return planProgress.table("expiring " + className, t("mon_part_expiring"), heads, items.map(expiringRow));
  }

  function expiringRow(item) {
    const isApproval = item.kind === "approval";
    const what = el("td", "what", isApproval ? item.name : t("mon_lease", item.parcels, planMap.mu(item.area_mu)));
    if (item.beyond !== null) what.append(el("small", "", t(item.beyond ? "mon_lease_beyond" : "mon_lease_within")));
    return el("tr", item.kind, [
      planProgress.head(item.code, "row", "code"),
      what,
      el("td", "", item.number),
      el("td", "", item.until || t("mon_until_unknown")),
      el("td", urgency(item), remaining(item)),
    ]);
  }

  function urgency(item) {
    if (item.days_left === null) return "soft";
    if (item.days_left < 0) return "bad";
    return item.days_left <= SOON_DAYS ? "soon" : "";
  }

  function remaining(item) {
    if (item.days_left === null) return t("mon_none");
    if (item.days_left < 0) return t("mon_days_over", -item.days_left);
    return item.days_left <= SOON_DAYS ? t("mon_days_left", item.days_left) : t("mon_months_left", item.months_left);
  }

  planProgress.findings = function (data) {
    const { findings } = data.report;
    if (!findings.length) return planProgress.section("findings", [el("p", "", t("mon_no_findings"))]);
    const rows = findings.map((finding) =>
      el("tr", "", [
        planProgress.head(finding.code || t("mon_whole"), "row", "code"),
        el("td", "", finding.text[planMap.language()]),
      ]),
    );
    const heads = [
      [t("mon_code"), ""],
      [t("mon_finding"), ""],
    ];
    return planProgress.section("findings", [planProgress.table("findings", t("mon_part_findings"), heads, rows)]);
  };

  planProgress.definitions = (data) =>
    planProgress.section("definitions", [
      el("ul", "definitions", data.definitions.map((key) => el("li", "", t(key)))),
    ]);
})(window.planProgress, window.planMap);
