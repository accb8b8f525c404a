/* What a tooltip and a popup say about a hold-out, left-over land, an overlap with a red line. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;
  const M2_PER_MU = 10000 / 15;

  function figures(rows) {
    const known = rows.filter((row) => row);
    return el(
      "table",
      "figures",
      known.map(([label, value]) => el("tr", "", [el("th", "", label), el("td", "", value)])),
    );
  }

  function box(title, rows, hint) {
    const parts = [el("h3", "", title)];
    if (hint) parts.push(el("p", "", hint));
    return el("div", "details", [...parts, figures(rows)]);
  }

  function tip(title, text) {
    return el("div", "", [el("strong", "", title), el("div", "", text)]);
  }

  const percent = (share) => (share === null ? t("unknown") : planMap.number(100 * share, 1) + " %");

  planMap.holdoutTip = function (view, row) {
    const get = (name) => view.holdouts.get(name, row);
    return tip(t("holdout", get("parcel_id")), t("holdout_loses", planMap.mu(get("lost_mu"))));
  };

  planMap.holdoutPopup = function (view, row) {
    const get = (name) => view.holdouts.get(name, row);
    return box(
      t("holdout", get("parcel_id")),
      [
        [t("block_id"), get("block_id")],
        [t("area"), planMap.muUnit(get("area_mu"))],
        [t("holdout_lost"), planMap.muUnit(get("lost_mu"))],
        [t("holdout_worth"), planMap.money(get("worth_lost"), view.data.meta.currency)],
        get("breaks") !== null && [t("holdout_breaks"), get("breaks")],
      ],
      t("holdout_hint"),
    );
  };

  planMap.leftoverTip = function (view, row) {
    const get = (name) => view.leftovers.get(name, row);
    return tip(t("leftover", get("leftover_id")), planMap.muUnit(get("area_mu")));
  };

  planMap.leftoverPopup = function (view, row) {
    const get = (name) => view.leftovers.get(name, row);
    return box(
      t("leftover", get("leftover_id")),
      [
        [t("area"), planMap.muUnit(get("area_mu"))],
        [t("parcels"), planMap.number(get("n_parcels"), 0)],
        [t("leftover_beside"), get("blocks")],
        [t("leftover_enclosed"), percent(get("enclosed_share"))],
      ],
      t("leftover_hint"),
    );
  };

  /** What people call an overlay. */
  planMap.overlayName = function (view, name) {
    const names = view.data.overlay_names;
    const one = (id) => (Object.hasOwn(names, id) ? names[id] : id);
    return name.split("、").map(one).join("、");
  };

  planMap.overlapTip = function (view, row) {
    const get = (name) => view.overlaps.get(name, row);
    return tip(planMap.overlayName(view, get("overlay")), planMap.muUnit(get("overlap_m2") / M2_PER_MU));
  };

  planMap.overlapPopup = function (view, row) {
    const get = (name) => view.overlaps.get(name, row);
    return box(planMap.overlayName(view, get("overlay")), [
      [t("parcel_id"), get("parcel_id")],
      [t("overlap_area"), planMap.muUnit(get("overlap_m2") / M2_PER_MU)],
      [t("overlap_share"), percent(get("share"))],
    ]);
  };
})(window.planMap);
