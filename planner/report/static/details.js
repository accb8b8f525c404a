/* What a tooltip and a popup say about a parcel, a block, a link, a barrier. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;

  /* Height of a popup, about. */
  const POPUP_PX = 85;
  const ROW_PX = 22;

  function figures(rows) {
    return el(
      "table",
      "figures",
      rows.filter((row) => row).map(([label, value]) => el("tr", "", [el("th", "", label), el("td", "", value)])),
    );
  }

  function lockText(locked) {
    return locked === "in" || locked === "out" ? t("locked_value_" + locked) : locked;
  }

  planMap.parcelTip = function (view, row) {
    const { parcels } = view;
    return el("div", "", [
      el("strong", "", parcels.get("parcel_id", row)),
      el("div", "", `${planMap.muUnit(parcels.get("area_mu", row))} · ${t(parcels.get("status", row))}`),
      el("div", "reason", parcels.get("reason", row)),
    ]);
  };

  planMap.parcelPopup = function (view, row) {
    const { parcels, data } = view;
    const get = (name) => parcels.get(name, row);
    const selected = get("status") === "selected";
    const earliest = get("earliest_phase");
    const parts = [
      el("h3", "", t("parcel", get("parcel_id"))),
      el(
        "p",
        "chip " + get("status"),
        selected ? `${t("selected")} · ${planMap.phaseName(data, get("phase"))}` : t(get("status")),
      ),
      el("p", "why", [el("b", "", t(selected ? "reason_in" : "reason_out") + ": "), get("reason")]),
      figures([
        [t("area"), planMap.muUnit(get("area_mu"))],
        [t("score"), planMap.number(get("score"), 3)],
        get("role") === "filler" && [t("role"), t("filler")],
        [t("zone"), get("zone") === null ? t("none") : get("zone")],
        [t("phase"), planMap.phaseName(data, get("phase"))],
        [t("block_id"), get("block_id") === null ? t("none") : get("block_id")],
        get("locked") !== null && [t("locked"), lockText(get("locked"))],
        parcels.has("cost") && [t("cost"), planMap.money(get("cost"), data.meta.currency)],
        parcels.has("earliest_phase") && [
          t("earliest"),
          earliest === null ? t("never") : planMap.phaseName(data, earliest),
        ],
        ...data.fields.map((name) => [name, get(name) === null ? t("unknown") : get(name)]),
      ]),
    ];
    const block = get("block_id") === null ? undefined : view.blockRow.get(get("block_id"));
    if (block !== undefined) {
      const button = el("button", "link", t("open_block", get("block_id")));
      button.type = "button";
      button.addEventListener("click", () => planMap.showBlock(view, block));
      parts.push(button);
    }
    return el("div", "details", parts);
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

  planMap.blockPopup = function (view, row) {
    const { blocks, data } = view;
    const get = (name) => blocks.get(name, row);
    return el("div", "details", [
      el("h3", "", t("block", get("block_id"))),
      figures([
        [t("phase"), planMap.phaseName(data, get("phase"))],
        [t("zone"), get("zone") === null ? t("none") : get("zone")],
        [t("area"), planMap.muUnit(get("area_mu"))],
        [t("parcels"), planMap.number(get("n_parcels"), 0)],
        [t("score_mean"), planMap.number(get("score_mean"), 3)],
        data.meta.has_cost && [t("cost"), planMap.money(get("cost"), data.meta.currency)],
        [t("perimeter"), planMap.number(get("perimeter_m"), 0) + " m"],
        [t("compactness"), planMap.number(get("compactness"), 3)],
        [t("bridged_links"), planMap.number(get("bridged_links"), 0)],
      ]),
    ]);
  };

  /** A zone with its targets by phase, and the land in it. */
  planMap.zonePopup = function (view, row) {
    const { parcels, data } = view;
    const name = view.zones.get("zone", row);
    const inside = parcels.rows().filter((parcel) => parcels.get("zone", parcel) === name);
    const area = inside.reduce((sum, parcel) => sum + parcels.get("area_mu", parcel), 0);
    const figuresOf = data.zone_figures.find((zone) => zone.name === name);
    const phases = figuresOf ? figuresOf.phases : [];
    return el("div", "details", [
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
  };

  planMap.linkPopup = function (view, row) {
    const get = (name) => view.links.get(name, row);
    return el("div", "details", [
      el("h3", "", t("link", get("parcel_a"), get("parcel_b"))),
      figures([
        [t("gap_width"), planMap.number(get("gap_m"), 1) + " m"],
        [t("link_in_use"), t(get("used") ? "yes" : "no")],
      ]),
    ]);
  };

  /** Opens a popup and outlines what it speaks of until it closes. */
  planMap.openDetails = function (view, latlng, content, latlngs) {
    const { map } = view;
    map.closePopup();
    view.highlight.setLatLngs(planMap.outline(latlngs)).addTo(map).bringToFront();
    L.popup({ maxWidth: 340, minWidth: 230, maxHeight: 420, autoPanPadding: [12, 12] })
      .setLatLng(latlng)
      .setContent(content)
      .openOn(map);
  };

  /* What is shown fills the map below its popup, which stands above it. */
  function show(view, latlngs, content) {
    if (latlngs.length === 0) return;
    const { map } = view;
    const bounds = L.polygon(latlngs).getBounds();
    const above = Math.min(POPUP_PX + ROW_PX * content.querySelectorAll("tr").length, map.getSize().y / 2);
    map.fitBounds(bounds.pad(0.2), { maxZoom: 18, animate: false, paddingTopLeft: [0, above] });
    planMap.openDetails(view, L.latLng(bounds.getNorth(), bounds.getCenter().lng), content, latlngs);
  }

  planMap.showParcel = (view, row) => show(view, view.parcels.latlngs(row), planMap.parcelPopup(view, row));
  planMap.showBlock = (view, row) => show(view, view.blocks.body(row), planMap.blockPopup(view, row));
  planMap.showZone = (view, row) => show(view, view.zones.latlngs(row), planMap.zonePopup(view, row));
})(window.planMap);
