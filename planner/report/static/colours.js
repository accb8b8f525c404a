/* How parcels are coloured. A further colouring is a further entry: its classes, and the class of a parcel. */
"use strict";

(function (planMap) {
  const t = planMap.t;

  /* Opacity of land that the slider has not come to yet. */
  const LATER_OPACITY = 0.22;

  /** Name of a mode in the language of the page; its id where it has none. */
  planMap.modeName = function (data, id) {
    const names = data.mode_names[id];
    return names ? names[planMap.language()] || id : id;
  };

  function unselectedClasses(palette) {
    return ["eligible", "ineligible", "excluded"].map((key) => ({ key, label: t(key), colour: palette.muted[key] }));
  }

  function byPhase(parcels, data) {
    return {
      label: t("colour_phase"),
      hatched: true,
      ofPlan: true,
      classes: data.phases
        .map((p, i) => ({ key: i + 1, label: planMap.phaseName(data, i + 1), colour: p.colour }))
        .concat(unselectedClasses(data.palette)),
      of: (row) => parcels.get("phase", row) || parcels.get("status", row),
    };
  }

  function byStatus(parcels, { palette }) {
    return {
      label: t("colour_status"),
      hatched: true,
      ofPlan: true,
      classes: ["selected", "eligible", "ineligible", "excluded"].map((key) => ({
        key,
        label: t(key),
        colour: palette.status[key],
      })),
      of: (row) => parcels.get("status", row),
    };
  }

  function byScore(parcels, { palette }) {
    const steps = palette.score.length;
    return {
      label: t("colour_score"),
      classes: palette.score
        .map((colour, i) => ({ key: i, label: `${(i / steps).toFixed(1)} – ${((i + 1) / steps).toFixed(1)}`, colour }))
        .reverse()
        .concat([{ key: "unknown", label: t("score_unknown"), colour: palette.score_unknown, hatch: 1 }]),
      of: (row) => {
        const value = parcels.get("score", row);
        return value === null ? "unknown" : Math.min(steps - 1, Math.floor(value * steps));
      },
    };
  }

  /* Bounds of a class of numbers as text: years are whole, shares are per cent. */
  function rangeLabel({ breaks, kind, decimals }, i) {
    const share = kind === "share";
    const places = share ? 0 : breaks.every((b) => Number.isInteger(10 * b)) ? Math.min(decimals, 1) : decimals;
    const number = (value) => planMap.number(share ? 100 * value : value, places);
    const [low, high] = [breaks[i - 1], breaks[i]];
    let text;
    if (kind === "year") {
      if (low === undefined) text = `≤ ${high - 1}`;
      else if (high === undefined) text = `≥ ${low}`;
      else text = high - 1 === low ? String(low) : `${low} – ${high - 1}`;
      return Math.max(...breaks.map(Math.abs)) < 1000 ? t("year", text) : text;
    }
    if (low === undefined) text = `< ${number(high)}`;
    else if (high === undefined) text = `≥ ${number(low)}`;
    else text = `${number(low)} – ${number(high)}`;
    return share ? text + " %" : text;
  }

  /* Numbers in classes, the highest on top. One that the plan brings is asked of selected land alone. */
  function byScale(parcels, data, key, scale) {
    const { breaks, colours } = scale;
    const classes = colours
      .map((colour, i) => ({ key: i, label: breaks.length ? rangeLabel(scale, i) : t("known"), colour }))
      .reverse();
    classes.push({ key: "unknown", label: t("unknown"), colour: data.palette.unknown, hatch: 1 });
    if (scale.of_plan) classes.push(...unselectedClasses(data.palette));
    return {
      label: t("colour_" + key),
      ofPlan: Boolean(scale.of_plan),
      classes,
      of: (row) => {
        if (scale.of_plan && parcels.get("phase", row) === null) return parcels.get("status", row);
        const value = parcels.get(scale.column, row);
        if (value === null) return "unknown";
        let i = 0;
        while (i < breaks.length && value >= breaks[i]) i += 1;
        return i;
      },
    };
  }

  /* Names in classes: as many as have a colour, the others together. */
  function byGroup(parcels, data, key, group) {
    const { palette } = data;
    const ofPlan = key === "mode";
    const known = new Set(group.classes.map((c) => c.value));
    const name = (value) => (ofPlan ? planMap.modeName(data, value) : value);
    const classes = group.classes.map((c) => ({ ...c, key: "is " + c.value, label: name(c.value) }));
    classes.push({ key: "others", label: t("others", group.others), colour: palette.others });
    classes.push({ key: "unknown", label: t("unknown"), colour: palette.unknown, hatch: 1 });
    if (ofPlan) classes.push(...unselectedClasses(palette));
    return {
      label: t("colour_" + key),
      ofPlan,
      classes,
      of: (row) => {
        if (ofPlan && parcels.get("phase", row) === null) return parcels.get("status", row);
        const value = parcels.get(group.column, row);
        return value === null ? "unknown" : known.has(value) ? "is " + value : "others";
      },
    };
  }

  function byChange(parcels, { palette }) {
    const classes = Object.entries(palette.change).map(([key, colour]) => ({
      key,
      label: t("change_" + key),
      colour,
      hatch: palette.change_hatches[key],
    }));
    return {
      label: t("colour_change"),
      classes: classes.concat(unselectedClasses(palette)),
      of: (row) =>
        parcels.get("change", row) || (parcels.get("phase", row) === null ? parcels.get("status", row) : "same"),
    };
  }

  /**
   * Colourings by name, those that the data have something for. Each has `classes` [{key, label, colour, hatch}] in
   * legend order and `of(row)`, the key of a parcel; `ofPlan`: it shows what the plan does, and later phases pale.
   */
  planMap.colourings = function (parcels, data) {
    const found = { phase: byPhase(parcels, data), status: byStatus(parcels, data), score: byScore(parcels, data) };
    const { groups, scales } = data;
    if (groups.mode) found.mode = byGroup(parcels, data, "mode", groups.mode);
    if (groups.village) found.village = byGroup(parcels, data, "village", groups.village);
    for (const key of ["lease_year", "signed_share", "far", "new_far"])
      if (scales[key]) found[key] = byScale(parcels, data, key, scales[key]);
    if (parcels.rows().some((row) => parcels.get("change", row) !== null)) found.change = byChange(parcels, data);
    return found;
  };

  /** Parcels take the colours of one colouring from now on; what is drawn already is not styled anew. */
  planMap.chooseColouring = function (view, key) {
    view.colouring = key;
    const colouring = view.colourings[key];
    const classes = new Map(colouring.classes.map((c) => [c.key, c]));
    view.classOf = (row) => classes.get(colouring.of(row));
  };

  /* {kind, phase} of the lock of a parcel: the present one where locks can be set, else that of the plan. */
  function lockKind(view, row) {
    if (view.lockOf) return view.lockOf(row).kind;
    const locked = view.parcels.get("locked", row);
    return locked === null ? null : locked.split(" ")[0];
  }

  /** 0 for a parcel without a mark of its own, 1 for a filler, 2 for a locked one. */
  planMap.markOf = function (view, row) {
    if (lockKind(view, row) !== null) return 2;
    return view.parcels.get("role", row) === "filler" && view.parcels.get("block_id", row) !== null ? 1 : 0;
  };

  /** Leaflet path style of a parcel: fill and hatch by colouring and slider; outline by filler and lock. */
  planMap.parcelStyle = function (view, row) {
    const { palette } = view;
    const shown = view.classOf(row);
    const pale = view.colourings[view.colouring].ofPlan && planMap.isLater(view, view.parcels.get("phase", row));
    const style = {
      fillColor: shown.colour,
      fillOpacity: (pale ? LATER_OPACITY : 1) * view.opacity,
      hatch: pale ? 0 : shown.hatch || planMap.parcelHatch(view, row),
      stroke: view.fine,
      color: palette.parcel_outline,
      weight: 0.7,
      dashArray: null,
    };
    const mark = planMap.markOf(view, row);
    if (mark === 1 && !pale) Object.assign(style, { color: palette.filler_outline, weight: 1.6, dashArray: "2 4" });
    if (mark === 2) {
      const out = lockKind(view, row) === "out";
      const colour = out ? palette.locked_out : palette.locked_in;
      Object.assign(style, { stroke: true, color: colour, weight: 2.5, dashArray: out ? "5 3" : null });
    }
    return style;
  };

  /** Whether a phase, null = none, comes after the one that the slider stands at. */
  planMap.isLater = (view, phase) => phase !== null && phase > view.step;

  /** "P1 · year 1" for a phase number; the number itself where the phase is not described. */
  planMap.phaseName = function (data, number) {
    if (number === null) return t("none");
    const phase = data.phases[number - 1];
    if (!phase) return String(number);
    const year = planMap.year(phase.year);
    return year ? `${phase.id} · ${year}` : phase.id;
  };
})(window.planMap);
