/* How parcels are coloured. A further colouring is a further entry: its classes, and the class of a parcel. */
"use strict";

(function (planMap) {
  const t = planMap.t;

  /**
   * Colourings by name. Each has `classes` [{key, label, colour}] in legend order and `of(row)`, the key of a parcel.
   */
  planMap.colourings = function (parcels, data) {
    const palette = data.palette;
    const unselected = ["eligible", "ineligible", "excluded"].map((status) => ({
      key: status,
      label: t(status),
      colour: palette.muted[status],
    }));

    const phase = {
      label: t("colour_phase"),
      hatched: true,
      classes: data.phases
        .map((p, i) => ({ key: i + 1, label: planMap.phaseName(data, i + 1), colour: p.colour }))
        .concat(unselected),
      of: (row) => parcels.get("phase", row) || parcels.get("status", row),
    };

    const status = {
      label: t("colour_status"),
      hatched: true,
      classes: ["selected", "eligible", "ineligible", "excluded"].map((key) => ({
        key,
        label: t(key),
        colour: palette.status[key],
      })),
      of: (row) => parcels.get("status", row),
    };

    const steps = palette.score.length;
    const score = {
      label: t("colour_score"),
      classes: palette.score
        .map((colour, i) => ({ key: i, label: `${(i / steps).toFixed(1)} – ${((i + 1) / steps).toFixed(1)}`, colour }))
        .reverse()
        .concat([{ key: "unknown", label: t("score_unknown"), colour: palette.score_unknown }]),
      of: (row) => {
        const value = parcels.get("score", row);
        return value === null ? "unknown" : Math.min(steps - 1, Math.floor(value * steps));
      },
    };

    return { phase, status, score };
  };

  /** Leaflet path style of a parcel: fill by colouring, hatch by block; outline by filler and lock. */
  planMap.parcelStyle = function (view, row) {
    const { parcels, palette } = view;
    const style = {
      fillColor: view.colourOf(row),
      fillOpacity: 1,
      hatch: planMap.parcelHatch(view, row),
      stroke: view.fine,
      color: palette.parcel_outline,
      weight: 0.7,
      dashArray: null,
    };
    if (parcels.get("role", row) === "filler" && parcels.get("block_id", row) !== null) {
      Object.assign(style, { color: palette.filler_outline, weight: 1.6, dashArray: "2 4" });
    }
    const locked = parcels.get("locked", row);
    if (locked === "out")
      Object.assign(style, { stroke: true, color: palette.locked_out, weight: 2.5, dashArray: "5 3" });
    else if (locked !== null)
      Object.assign(style, { stroke: true, color: palette.locked_in, weight: 2.5, dashArray: null });
    return style;
  };

  /** "P1 · year 1" for a phase number; the number itself where the phase is not described. */
  planMap.phaseName = function (data, number) {
    if (number === null) return t("none");
    const phase = data.phases[number - 1];
    if (!phase) return String(number);
    const year = planMap.year(phase.year);
    return year ? `${phase.id} · ${year}` : phase.id;
  };
})(window.planMap);
