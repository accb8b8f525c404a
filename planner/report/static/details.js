/* What a tooltip and a popup say about a parcel, a block, a link, a barrier; and the buttons that lock parcels. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;

  const KINDS = ["in", "out", "by", "at"];
  const NOTE_LENGTH = 500;
  const timed = (kind) => kind === "by" || kind === "at";

  function figures(rows) {
    return el(
      "table",
      "figures",
      rows.filter((row) => row).map(([label, value]) => el("tr", "", [el("th", "", label), el("td", "", value)])),
    );
  }

  function folded(title, content, open) {
    const box = el("details", "", [el("summary", "", title), ...content]);
    box.open = Boolean(open);
    return box;
  }

  const percent = (share) => (share === null ? t("unknown") : planMap.number(100 * share, 1) + " %");

  /* A fact as text: shares in percent, years without grouping; the label of a fact names its unit. */
  function shown(value, { kind, decimals, unit }) {
    if (value === null) return t("unknown");
    if (kind === "text" || unit === "year") return String(value);
    return unit === "share" ? percent(value) : planMap.number(value, decimals);
  }

  function modeName(view, mode) {
    const names = view.data.mode_names;
    return Object.hasOwn(names, mode) ? names[mode][planMap.language()] : mode;
  }

  /* "2027-08", or year and month counted from a base year. */
  function month(text) {
    const [year, number] = String(text).split("-");
    return Number(year) < 1000 ? t("popup_month", Number(year), Number(number)) : text;
  }

  planMap.parcelTip = function (view, row) {
    const { parcels } = view;
    return el("div", "", [
      el("strong", "", parcels.get("parcel_id", row)),
      el("div", "", `${planMap.muUnit(parcels.get("area_mu", row))} · ${t(parcels.get("status", row))}`),
      el("div", "reason", planMap.sentence(parcels, "reason", row)),
    ]);
  };

  /* An id as a word of a command; one that a shell could read otherwise is left to the reader. */
  const typed = (id) => (/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(id) ? id : "ID");

  /* What the plan loses with a parcel forced the other way; nothing for land that the rules leave out. */
  function forcedLine(view, row) {
    const { parcels, data } = view;
    const status = parcels.get("status", row);
    if (status !== "selected" && status !== "eligible") return null;
    const way = status === "selected" ? "out" : "in";
    const loss = parcels.get("forced_loss", row);
    if (loss === null) {
      const command = el("code", "", `planner explain parcel ${typed(parcels.get("parcel_id", row))}`);
      return el("p", "forced", [t(`popup_forced_${way}_unknown`) + " ", command]);
    }
    const key = loss < 0 ? `popup_forced_${way}_gain` : `popup_forced_${way}`;
    return el("p", "forced", t(key, planMap.money(Math.abs(loss), data.meta.currency)));
  }

  function chips(view, row) {
    const { parcels, data } = view;
    const status = parcels.get("status", row);
    const phase = parcels.get("phase", row);
    const text = status === "selected" ? `${t("selected")} · ${planMap.phaseName(data, phase)}` : t(status);
    const change = parcels.get("change", row);
    const parts = [el("span", "chip " + status, text)];
    if (change !== null)
      parts.push(" ", el("span", "chip change", `${t("popup_change")}: ${t("popup_change_" + change)}`));
    return el("p", "chips", parts);
  }

  /* Yields of a parcel as they are: what it pays and makes in a year over its land. */
  function yields(view, row) {
    const { parcels } = view;
    const area = parcels.get("area_mu", row);
    return ["tax", "output"]
      .filter((name) => parcels.has(`fact_${name}_yuan`))
      .map((name) => {
        const value = parcels.get(`fact_${name}_yuan`, row);
        return [t(`popup_${name}_now`), planMap.money(value === null ? null : value / area, "CNY")];
      });
  }

  function parcelFigures(view, row) {
    const { parcels, data } = view;
    const get = (name) => parcels.get(name, row);
    const earliest = get("earliest_phase");
    return figures([
      [t("area"), planMap.muUnit(get("area_mu"))],
      [t("score"), planMap.number(get("score"), 3)],
      get("role") === "filler" && [t("role"), t("filler")],
      [t("zone"), get("zone") === null ? t("none") : get("zone")],
      [t("phase"), planMap.phaseName(data, get("phase"))],
      [t("block_id"), get("block_id") === null ? t("none") : get("block_id")],
      parcels.has("mode") && get("mode") !== null && [t("popup_mode"), modeName(view, get("mode"))],
      parcels.has("cost") && [t("cost"), planMap.money(get("cost"), data.meta.currency)],
      parcels.has("earliest_phase") && [
        t("earliest"),
        earliest === null ? t("never") : planMap.phaseName(data, earliest),
      ],
      ...yields(view, row),
    ]);
  }

  function facts(view, row) {
    const known = view.data.facts.filter((fact) => view.parcels.has("fact_" + fact.name));
    const rows = known.map((fact) => [
      t("fact_" + fact.name),
      shown(view.parcels.get("fact_" + fact.name, row), fact),
    ]);
    return rows.length === 0 ? [] : [folded(t("popup_facts"), [figures(rows)], true)];
  }

  function blockButton(view, row) {
    const id = view.parcels.get("block_id", row);
    const block = id === null ? undefined : view.blockRow.get(id);
    if (block === undefined) return [];
    return [planMap.textButton("link", t("open_block", id), () => planMap.showBlock(view, block))];
  }

  /** About a parcel; while parcels are being locked, only what that needs. */
  planMap.parcelPopup = function (view, row) {
    const { parcels } = view;
    const why = t(parcels.get("status", row) === "selected" ? "reason_in" : "reason_out");
    const head = [
      el("h3", "", t("parcel", parcels.get("parcel_id", row))),
      chips(view, row),
      el("p", "why", [el("b", "", why + ": "), planMap.sentence(parcels, "reason", row)]),
    ];
    const forced = forcedLine(view, row);
    if (forced) head.push(forced);
    const lock = planMap.lockEditor(view, row);
    const rest = view.lockMode
      ? [figures([[t("area"), planMap.muUnit(parcels.get("area_mu", row))]]), lock]
      : [lock, parcelFigures(view, row), ...facts(view, row)];
    return remade(el("div", "details", [...head, ...rest, ...blockButton(view, row)]), () =>
      planMap.parcelPopup(view, row),
    );
  };

  planMap.blockTip = function (view, row) {
    const { blocks, data } = view;
    return el("div", "", [
      el("strong", "", t("block", blocks.get("block_id", row))),
      el(
        "div",
        "",
        `${planMap.muUnit(blocks.get("area_mu", row))} · ${planMap.phaseName(data, blocks.get("phase", row))}`,
      ),
    ]);
  };

  /* "before → after", where the layer has either; a sum over partly unknown parcels says of how many. */
  function beforeAfter(table, row, [before, after, unknown], label, format) {
    if (!table.has(before) && !table.has(after)) return null;
    const missing = table.get(unknown, row);
    const note = missing ? [el("small", "", t("popup_unknown_parcels", planMap.number(missing, 0)))] : [];
    return [label, [`${format(table.get(before, row))} → ${format(table.get(after, row))}`, ...note]];
  }

  function yieldRow(view, row, name) {
    const columns = [
      `before_${name}_yuan_per_mu`,
      `after_${name}_yuan_per_mu`,
      `before_${name}_yuan_unknown_parcels`,
    ];
    return beforeAfter(view.blocks, row, columns, t(`popup_${name}_per_mu`), (value) => planMap.money(value, "CNY"));
  }

  function milestones(view, row) {
    const known = view.data.block_facts.filter(({ name }) => name.startsWith("milestone_"));
    const rows = known.map(({ name }) => {
      const when = view.blocks.get(name, row);
      const label = planMap.hasLabel("popup_" + name) ? t("popup_" + name) : name.slice("milestone_".length);
      return [label, when === null ? t("none") : month(when)];
    });
    return rows.length === 0 ? [] : [folded(t("popup_milestones"), [figures(rows)])];
  }

  function blockFigures(view, row) {
    const { blocks, data } = view;
    const get = (name) => blocks.get(name, row);
    return figures([
      blocks.has("project_code") && [t("project_code"), get("project_code")],
      [t("phase"), planMap.phaseName(data, get("phase"))],
      [t("zone"), get("zone") === null ? t("none") : get("zone")],
      blocks.has("mode") && [t("popup_mode"), get("mode") === null ? t("none") : modeName(view, get("mode"))],
      [t("area"), planMap.muUnit(get("area_mu"))],
      [t("parcels"), planMap.number(get("n_parcels"), 0)],
      [t("score_mean"), planMap.number(get("score_mean"), 3)],
      data.meta.has_cost && [t("cost"), planMap.money(get("cost"), data.meta.currency)],
      beforeAfter(blocks, row, ["far_before", "far_after"], t("popup_far"), (value) => planMap.number(value, 2)),
      yieldRow(view, row, "tax"),
      yieldRow(view, row, "output"),
      ...["signed_holders_share", "signed_area_share"]
        .filter((name) => blocks.has(name))
        .map((name) => [t("popup_" + name), percent(get(name))]),
      [t("perimeter"), planMap.number(get("perimeter_m"), 0) + " m"],
      [t("compactness"), planMap.number(get("compactness"), 3)],
      [t("bridged_links"), planMap.number(get("bridged_links"), 0)],
    ]);
  }

  function parcelList(view, members) {
    const items = members.map((row) => {
      const id = view.parcels.get("parcel_id", row);
      const button = planMap.textButton("link", id, () => planMap.showParcel(view, row));
      return el("li", "", [button, " ", el("span", "count", planMap.muUnit(view.parcels.get("area_mu", row)))]);
    });
    return folded(t("popup_parcels", planMap.number(members.length, 0)), [el("ul", "members", items)]);
  }

  /* Why the parcels of a block are in: each reason, without the name of the block, with the number of its parcels. */
  function reasons(view, members, id) {
    const counts = new Map();
    for (const row of members) {
      const text = planMap.sentence(view.parcels, "reason", row);
      const at = text.indexOf(id);
      const own = at < 0 ? text : text.slice(at + id.length).replace(/^[:：]\s*/, "");
      counts.set(own, (counts.get(own) || 0) + 1);
    }
    const items = [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([why, count]) => el("li", "", t("popup_reason_count", why, planMap.number(count, 0))));
    return items.length === 0 ? [] : [folded(t("popup_reasons"), [el("ul", "reasons", items)])];
  }

  planMap.blockPopup = function (view, row) {
    const id = view.blocks.get("block_id", row);
    const members = view.parcels.rows().filter((parcel) => view.parcels.get("block_id", parcel) === id);
    const parts = [
      el("h3", "", t("block", id)),
      planMap.blockLocks(view, row, members),
      blockFigures(view, row),
      ...reasons(view, members, id),
      ...milestones(view, row),
      parcelList(view, members),
    ];
    return remade(el("div", "details", parts), () => planMap.blockPopup(view, row));
  };

  /** A zone with its targets by phase, and the land in it. */
  planMap.zonePopup = function (view, row) {
    const { parcels, data } = view;
    const name = view.zones.get("zone", row);
    const inside = parcels.rows().filter((parcel) => parcels.get("zone", parcel) === name);
    const area = inside.reduce((sum, parcel) => sum + parcels.get("area_mu", parcel), 0);
    const figuresOf = data.zone_figures.find((zone) => zone.name === name);
    const phases = figuresOf ? figuresOf.phases : [];
    const content = el("div", "details", [
      el("h3", "", t("zone_name", name)),
      figures([
        [t("parcels"), planMap.number(inside.length, 0)],
        [t("area"), planMap.muUnit(area)],
        ...phases.map((phase) => [
          t("by_end_of", phase.id),
          phase.target_mu
            ? t("mu_of_target", planMap.mu(phase.cumulative_mu), planMap.mu(phase.target_mu))
            : planMap.muUnit(phase.cumulative_mu),
        ]),
      ]),
    ]);
    return remade(content, () => planMap.zonePopup(view, row));
  };

  planMap.linkPopup = function (view, row) {
    const get = (name) => view.links.get(name, row);
    const content = el("div", "details", [
      el("h3", "", t("link", get("parcel_a"), get("parcel_b"))),
      figures([
        [t("gap_width"), planMap.number(get("gap_m"), 1) + " m"],
        [t("link_in_use"), t(get("used") ? "yes" : "no")],
      ]),
    ]);
    return remade(content, () => planMap.linkPopup(view, row));
  };

  /** What is decided about a parcel, in words. */
  planMap.lockText = function ({ kind, phase, note }) {
    if (kind === null) return t(note === null ? "lock_state_none" : "lock_state_note");
    return timed(kind) ? t("lock_state_" + kind, phase) : t("lock_state_" + kind);
  };

  /* Why a run would find no plan with the lock; null where it might. */
  function warning({ parcels, data }, row, { kind, phase }) {
    if (kind === null || kind === "out") return null;
    const usable = parcels.get("status", row) !== "excluded" && parcels.get("role", row) !== null;
    if (!usable) return t("lock_warn_status");
    if (!parcels.has("earliest_phase")) return null;
    const earliest = parcels.get("earliest_phase", row);
    if (earliest === null) return t("lock_warn_never");
    const last = timed(kind) ? data.phases.findIndex((p) => p.id === phase) + 1 : data.phases.length;
    return earliest > last ? t("lock_warn_gate", planMap.phaseName(data, earliest)) : null;
  }

  function phaseChoice(view, row, entry) {
    const choice = el("select");
    choice.setAttribute("aria-label", t("lock_phase"));
    view.data.phases.forEach((phase, i) => {
      const option = el("option", "", planMap.phaseName(view.data, i + 1));
      option.value = phase.id;
      choice.append(option);
    });
    const planned = view.data.phases[(view.parcels.get("phase", row) || 1) - 1];
    choice.value = entry.phase !== null ? entry.phase : planned.id;
    return choice;
  }

  /** Buttons and a note for the lock of a parcel. */
  planMap.lockEditor = function (view, row) {
    const { locks } = view;
    const choice = phaseChoice(view, row, locks.of(row));
    const decide = (kind) =>
      locks.change([row], () => ({ kind, phase: timed(kind) ? choice.value : null }));
    const buttons = new Map(
      [null, ...KINDS].map((kind) => [
        kind,
        planMap.textButton("lock-choice " + (kind || "none"), t("lock_" + (kind || "none")), () => decide(kind)),
      ]),
    );
    choice.addEventListener("change", () => timed(locks.of(row).kind) && decide(locks.of(row).kind));

    const note = el("textarea");
    note.maxLength = NOTE_LENGTH;
    note.rows = 2;
    note.value = locks.of(row).note || "";
    note.addEventListener("input", () => locks.change([row], () => ({ note: note.value.trim() || null }), true));

    const state = el("b");
    const warn = el("p", "lock-warning");
    warn.setAttribute("role", "status");
    const pick = (...kinds) => kinds.map((kind) => buttons.get(kind));
    const parts = [
      el("summary", "", [t("lock_of") + ": ", state]),
      el("div", "lock-choices", pick("in", "out", null)),
      el("div", "lock-choices", [choice, ...pick("by", "at")]),
      warn,
      el("label", "lock-note", [el("span", "", t("lock_note")), note]),
    ];
    const box = el("details", "lock-editor", parts);
    box.open = Boolean(view.lockMode);
    view.editor = () => {
      const entry = locks.of(row);
      state.textContent = planMap.lockText(entry) + (entry.note === null ? "" : ` · ${entry.note}`);
      buttons.forEach((button, kind) => button.setAttribute("aria-pressed", String(entry.kind === kind)));
      if (timed(entry.kind)) choice.value = entry.phase;
      if (note.value.trim() !== (entry.note || "")) note.value = entry.note || "";
      warn.textContent = warning(view, row, entry) || "";
    };
    view.editor();
    return box;
  };

  /** Buttons that lock every parcel of a block. */
  planMap.blockLocks = function (view, row, members) {
    const { locks, data } = view;
    view.editor = null;
    const phase = data.phases[view.blocks.get("phase", row) - 1];
    const button = (label, kind) =>
      planMap.textButton("lock-choice", label, () =>
        locks.change(members, () => ({ kind, phase: timed(kind) ? phase.id : null })),
      );
    const buttons = [button(t("lock_block_in"), "in"), button(t("lock_block_none"), null)];
    if (phase) buttons.splice(1, 0, button(t("lock_block_at", phase.id), "at"));
    return el("div", "lock-choices", buttons);
  };

  /* Content that can be made anew, in another language. */
  function remade(content, make) {
    content.remake = make;
    return content;
  }
})(window.planMap);
