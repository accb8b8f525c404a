/*
 * Locks: the planner's own decisions about parcels, with remarks. Their state with undo, the file locks.json, the draft
 * that the browser keeps, and the list in the panel.
 */
"use strict";

(function (planMap) {
  const { t, el } = planMap;

  const FORMAT = "land-consolidation-locks";
  const VERSION = 1;
  const KINDS = ["in", "out", "by", "at"];
  const LISTED = 100;
  const TOLD = 10;

  const FREE = Object.freeze({ kind: null, phase: null, note: null });
  const timed = (kind) => kind === "by" || kind === "at";
  const isEmpty = (entry) => entry.kind === null && entry.note === null;
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  /** Decisions by row of the parcel table: {kind: 'in' | 'out' | 'by' | 'at' | null, phase: id | null, note}. */
  class Locks {
    constructor(view) {
      this.view = view;
      this.entries = new Map();
      this.past = [];
      for (const row of view.parcels.rows()) {
        const [, kind, , phase] = /^(in|out|by|at)( ([^]*))?$/.exec(view.parcels.get("locked", row) || "") || [];
        const entry = { kind: kind || null, phase: timed(kind) ? phase : null, note: view.parcels.get("note", row) };
        if (!isEmpty(entry)) this.entries.set(row, entry);
      }
      this.given = this.text();
      this.saved = this.given;
    }

    of(row) {
      return this.entries.get(row) || FREE;
    }

    id(row) {
      return this.view.parcels.get("parcel_id", row);
    }

    /** Rows with a lock or a note, by id. */
    rows() {
      return [...this.entries.keys()].sort((a, b) => order(this.id(a), this.id(b)));
    }

    list() {
      return this.rows().map((row) => {
        const { kind, phase, note } = this.of(row);
        return { parcel_id: this.id(row), lock: kind, phase, note };
      });
    }

    text() {
      return JSON.stringify(this.list());
    }

    /** Changes some rows at once: `update` maps each entry to the new one. One step for undo, but for a typed note. */
    change(rows, update, typed) {
      const step = new Map();
      for (const row of rows) {
        const entry = { ...this.of(row), ...update(this.of(row), row) };
        if (["kind", "phase", "note"].some((name) => entry[name] !== this.of(row)[name])) step.set(row, this.of(row));
        this.put(row, entry);
      }
      if (step.size === 0) return;
      const last = this.past[this.past.length - 1];
      const goesOn = typed && last && last.typed && last.step.has(rows[0]);
      if (!goesOn) this.past.push({ step, typed });
      this.changed([...step.keys()]);
    }

    /** The whole state is another one. */
    replace(entries) {
      const rows = new Set([...this.entries.keys(), ...entries.keys()]);
      this.change([...rows], (_, row) => entries.get(row) || FREE);
    }

    undo() {
      const last = this.past.pop();
      if (!last) return;
      last.step.forEach((entry, row) => this.put(row, entry));
      this.changed([...last.step.keys()]);
    }

    put(row, entry) {
      if (isEmpty(entry)) this.entries.delete(row);
      else this.entries.set(row, entry);
    }

    changed(rows) {
      const { view } = this;
      rows.forEach((row) => view.restyleParcel(row));
      keepDraft(view);
      planMap.warnBeforeLeaving(this.text() !== this.saved);
      planMap.placeLockLabels(view);
      planMap.placeNames(view);
      if (view.editor) view.editor();
      planMap.fillLocks(view);
      view.refreshLegend();
    }

    markSaved() {
      this.saved = this.text();
      this.changed([]);
    }
  }

  /* ---- locks.json ---- */

  function planOf({ data, parcels }) {
    const plan = Object.fromEntries(data.phases.map((phase) => [phase.id, []]));
    for (const row of parcels.rows()) {
      const phase = data.phases[(parcels.get("phase", row) || 0) - 1];
      if (phase) plan[phase.id].push(parcels.get("parcel_id", row));
    }
    Object.values(plan).forEach((ids) => ids.sort(order));
    return plan;
  }

  function documentOf(view) {
    const { title, config_hash, input_hash } = view.data.meta;
    return { format: FORMAT, version: VERSION, project: title, config_hash, input_hash, locks: view.locks.list() };
  }

  /* The complete state, and the plan that it was decided on. */
  function download(view) {
    const text = JSON.stringify({ ...documentOf(view), plan: planOf(view) }, null, 1) + "\n";
    const link = el("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "locks.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    view.lockMessage = null;
    view.locks.markSaved();
  }

  const text = (value) => (value === undefined ? "–" : String(JSON.stringify(value)).slice(0, 80));

  function some(values) {
    const told = values.slice(0, TOLD).join(", ");
    return values.length > TOLD ? t("lock_and_more", told, values.length - TOLD) : told;
  }

  function isEntry(entry) {
    if (entry === null || typeof entry !== "object" || typeof entry.parcel_id !== "string") return false;
    const { lock = null, phase = null, note = null } = entry;
    const fits = timed(lock) ? typeof phase === "string" : phase === null;
    return (lock === null || KINDS.includes(lock)) && fits && (note === null || typeof note === "string");
  }

  /**
   * What a text of the format of locks.json holds: `entries` by row, `other` = made from another plan or other data,
   * and `problems`, each [label, ...values] with lists of strings in them. With a problem nothing of it may be used.
   */
  planMap.readLocks = function (view, content) {
    const refuse = (...problem) => ({ entries: new Map(), problems: [problem] });
    let data;
    try {
      data = JSON.parse(content.replace(/^\uFEFF/, ""));
    } catch {
      return refuse("lock_bad_json");
    }
    const { format, version, locks } = data === null || typeof data !== "object" ? {} : data;
    if (format !== FORMAT || version !== VERSION) return refuse("lock_bad_format", text(format), text(version));
    if (!Array.isArray(locks)) return refuse("lock_bad_locks");

    const { parcels, data: page } = view;
    const rowOf = new Map(parcels.rows().map((row) => [parcels.get("parcel_id", row), row]));
    const phases = new Set(page.phases.map((phase) => phase.id));
    const good = locks.filter(isEntry);
    const problems = locks.flatMap((entry, i) => (isEntry(entry) ? [] : [["lock_bad_entry", i + 1, text(entry)]]));
    const ids = good.map((entry) => entry.parcel_id);
    const told = (key, values) => values.length > 0 && problems.push([key, [...new Set(values)]]);
    const unknown = ids.filter((id) => !rowOf.has(id));
    const first = new Map(ids.map((id, i) => [id, i]).reverse());
    const strange = good.filter((entry) => typeof entry.phase === "string" && !phases.has(entry.phase));
    told("lock_bad_twice", ids.filter((id, i) => first.get(id) !== i));
    told("lock_bad_ids", unknown);
    told("lock_bad_phases", strange.map((entry) => entry.phase));
    if (unknown.length > 0 && page.left_out.count > 0)
      problems.push(["lock_left_out", page.left_out.count]);

    const entry = ({ lock = null, phase = null, note = null }) => ({ kind: lock, phase, note: note || null });
    const entries = new Map(good.map((e) => [rowOf.get(e.parcel_id), entry(e)]).filter(([, e]) => !isEmpty(e)));
    const other = ["config_hash", "input_hash"].some((name) => data[name] !== page.meta[name]);
    return { entries, other, problems };
  };

  async function load(view, file) {
    const { entries, other, problems } = planMap.readLocks(view, await file.text());
    if (problems.length > 0) {
      view.lockMessage = { refused: file.name, problems };
      planMap.fillLocks(view);
      return;
    }
    const lines = [["lock_loaded", file.name, entries.size], ...(other ? [["lock_loaded_other"]] : [])];
    view.lockMessage = { lines };
    view.locks.replace(entries);
    view.locks.markSaved();
  }

  /* ---- what is not downloaded yet ---- */

  const draftKey = ({ data }) => `${FORMAT}:${data.meta.config_hash}:${data.meta.input_hash}`;

  function keepDraft(view) {
    const { locks } = view;
    const draft = { ...documentOf(view), saved: locks.text() === locks.saved };
    planMap.stored((kept) => {
      if (locks.text() === locks.given) kept.removeItem(draftKey(view));
      else kept.setItem(draftKey(view), JSON.stringify(draft));
    });
  }

  function restoreDraft(view) {
    const draft = planMap.stored((kept) => kept.getItem(draftKey(view)));
    if (draft === null) return;
    const { entries, problems } = planMap.readLocks(view, draft);
    if (problems.length > 0) {
      view.lockMessage = { refused: draftKey(view), problems };
      return;
    }
    const { saved } = JSON.parse(draft);
    view.lockMessage = saved ? null : { lines: [["lock_restored"]] };
    view.locks.replace(entries);
    if (saved) view.locks.markSaved();
  }

  /* ---- locks on the map ---- */

  /** Lock mode: popups of parcels hold what locking needs, and the list of locks stands first in the panel. */
  planMap.setLockMode = function (view, on) {
    view.lockMode = on;
    view.map.closePopup();
    view.map.getContainer().classList.toggle("locking", on);
    const button = document.getElementById("plan-lock-mode");
    button.setAttribute("aria-pressed", String(on));
    button.classList.toggle("active", on);
    if (on) planMap.showPanel(view, true);
    planMap.fillLocks(view);
    if (on) view.lockSection.scrollIntoView({ block: "nearest" });
  };

  /* ---- the list in the panel ---- */

  function totals(view) {
    const { locks, parcels } = view;
    const sums = new Map([...KINDS, "note"].map((kind) => [kind, { count: 0, mu: 0 }]));
    for (const [row, { kind }] of locks.entries) {
      const sum = sums.get(kind || "note");
      sum.count += 1;
      sum.mu += parcels.get("area_mu", row);
    }
    const items = [...sums]
      .filter(([, { count }]) => count > 0)
      .map(([kind, { count, mu }]) =>
        el("li", "", [
          el("span", "swatch lock-" + kind),
          el("span", "label", t("lock_kind_" + kind)),
          el("span", "count", t("lock_total", planMap.number(count, 0), planMap.mu(mu))),
        ]),
      );
    return el("ul", "legend", items);
  }

  function line(view, row) {
    const { locks, parcels } = view;
    const entry = locks.of(row);
    const id = locks.id(row);
    const remove = planMap.textButton("lock-remove", "×", () => {
      locks.change([row], () => FREE);
      (view.lockSection.querySelector(".lock-remove") || view.lockSection.querySelector("button")).focus();
    });
    remove.title = t("lock_remove", id);
    remove.setAttribute("aria-label", remove.title);
    const name = planMap.textButton("link", id, () => planMap.showParcel(view, row));
    const cells = [
      el("td", "", [name]),
      el("td", "", planMap.lockText(entry)),
      el("td", "number", planMap.mu(parcels.get("area_mu", row))),
      el("td", "", [remove]),
    ];
    const lines = [el("tr", "", cells)];
    if (entry.note !== null) {
      const cell = el("td", "lock-remark", entry.note);
      cell.colSpan = cells.length;
      lines.push(el("tr", "", [cell]));
    }
    return lines;
  }

  function table(view) {
    const rows = view.locks.rows();
    const shown = view.allLocks ? rows : rows.slice(0, LISTED);
    const head = ["parcel", "kind", "mu"].map((key) => el("th", key === "mu" ? "number" : "", t("lock_table_" + key)));
    const parts = [
      el("table", "lock-list", [
        el("thead", "", [el("tr", "", [...head, el("td")])]),
        el(
          "tbody",
          "",
          shown.flatMap((row) => line(view, row)),
        ),
      ]),
    ];
    if (shown.length < rows.length) {
      const more = () => {
        view.allLocks = true;
        planMap.fillLocks(view);
      };
      parts.push(planMap.textButton("link", t("lock_show_all", planMap.number(rows.length, 0)), more));
    }
    return rows.length === 0 ? [el("p", "hint", t("lock_nothing"))] : parts;
  }

  function actions(view) {
    const { locks } = view;
    const file = el("input");
    file.type = "file";
    file.accept = ".json,application/json";
    file.hidden = true;
    file.addEventListener("change", () => file.files.length > 0 && load(view, file.files[0]));
    const button = (key, act, enabled) => {
      const made = planMap.textButton("lock-action " + key, t("lock_" + key), () => {
        view.lockMessage = null;
        act();
        const same = view.lockSection.querySelector(`.lock-action.${key}`);
        (same.disabled ? view.lockSection.querySelector(".lock-action:not(:disabled)") : same).focus();
      });
      made.disabled = !enabled;
      return made;
    };
    return el("div", "lock-actions", [
      button("download", () => download(view), true),
      button("load", () => file.click(), true),
      button("undo", () => locks.undo(), locks.past.length > 0),
      button("clear", () => locks.replace(new Map()), locks.entries.size > 0),
      file,
    ]);
  }

  /* What the last action did, and whether anything would be lost. */
  function messages(view) {
    const { lockMessage, locks } = view;
    const told = (problem) => t(problem[0], ...problem.slice(1).map((v) => (Array.isArray(v) ? some(v) : v)));
    const parts = [];
    if (lockMessage && lockMessage.refused) {
      const list = lockMessage.problems.slice(0, TOLD).map((problem) => el("li", "", told(problem)));
      const box = el("div", "lock-refused", [t("lock_refused", lockMessage.refused), el("ul", "", list)]);
      box.setAttribute("role", "alert");
      parts.push(box);
    }
    const lines = [...((lockMessage && lockMessage.lines) || [])];
    const unsaved = locks.text() !== locks.saved;
    if (unsaved) lines.push(["lock_unsaved"]);
    else if (locks.text() !== locks.given) lines.push(["lock_saved"]);
    if (unsaved && planMap.storeRefused()) lines.push(["lock_no_draft"]);
    const status = el(
      "div",
      unsaved ? "lock-status unsaved" : "lock-status",
      lines.map((each) => el("p", "", told(each))),
    );
    status.setAttribute("role", "status");
    return [...parts, status];
  }

  /** The list of locks in the panel, anew. */
  planMap.fillLocks = function (view) {
    const panel = document.getElementById("plan-panel");
    const section = view.lockSection;
    section.replaceChildren(
      el("h2", "", t("lock")),
      ...(view.lockMode ? [el("p", "hint", t("lock_mode_hint"))] : []),
      actions(view),
      ...messages(view),
      totals(view),
      ...table(view),
    );
    if (view.lockMode && panel.firstChild !== section) panel.prepend(section);
    else if (!view.lockMode && panel.lastChild !== section) panel.append(section);
  };

  /** Locks and notes of a plan: its own to begin with, then what the browser has kept of an earlier visit. */
  planMap.addLocks = function (view) {
    if (view.locks) {
      planMap.fillLocks(view);
      return;
    }
    view.lockLabels = L.layerGroup().addTo(view.map);
    view.lockSection = el("section", "locks");
    view.locks = new Locks(view);
    view.lockOf = (row) => view.locks.of(row);
    planMap.fillLocks(view);
    planMap.listenToKeys(view);
    view.map.on("moveend zoomend", () => planMap.placeLockLabels(view));
    planMap.placeLockLabels(view);
    restoreDraft(view);
  };
})(window.planMap);
