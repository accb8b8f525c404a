/* One parcel in every plan: found by click or by number, told in a table below the maps. */
"use strict";

(function (planCompare, planMap) {
  const t = (...words) => planMap.t(...words);
  const { el } = planMap;
  const STATUSES = ["selected", "eligible", "ineligible", "excluded"];

  function phaseName(data, plan, number) {
    if (number === 0) return t("none");
    const { id, year } = data.plans[plan].phases[number - 1];
    return planCompare.phaseOf(id, year);
  }

  function coded({ values, codes }, row) {
    return codes[row] < 0 ? null : values[codes[row]];
  }

  function reasonOf(inPlan, row) {
    const { values, codes } = inPlan.reason;
    return codes[row] < 0 ? t("unknown") : values[planMap.language()][codes[row]];
  }

  /** Two lines for the pointer: the parcel, and what the map under it says of it. */
  planCompare.tip = function (data, state, side, row) {
    const lines = [el("strong", "", t("parcel", state.parcels.get("parcel_id", row)))];
    lines.push(el("div", "", planMap.muUnit(state.parcels.get("area_mu", row))));
    if (side.plan === null) {
      lines.push(el("div", "", planCompare.timesLabel(state.parcels.get("times", row), data)));
    } else {
      const inPlan = data.in_plan[side.plan];
      const status = inPlan.status[row];
      const place = status === 0 ? phaseName(data, side.plan, inPlan.phase[row]) : null;
      const text = status < 0 ? t("compare_not_held") : place || t(STATUSES[status]);
      lines.push(el("div", "", text));
    }
    return el("div", "", lines);
  };

  /** Tells a parcel in every plan, and outlines it on both maps. */
  planCompare.openParcel = function (data, state, row) {
    state.open = row;
    for (const side of state.maps) {
      for (const line of side.highlight) {
        line.setLatLngs(planMap.outline(state.latlngs[row])).addTo(side.map).bringToFront();
      }
    }
    fill(data, state);
  };

  planCompare.closeParcel = function (state) {
    state.open = null;
    for (const side of state.maps) side.highlight.forEach((line) => line.remove());
    state.details.replaceChildren();
    state.details.hidden = true;
  };

  function fill(data, state) {
    const row = state.open;
    const heads = ["compare_plan", "status", "phase", "block_id", "compare_reason"].map((key) =>
      planCompare.head(t(key), "col"),
    );
    const rows = data.plans.map((plan, i) => {
      const inPlan = data.in_plan[i];
      const status = inPlan.status[row];
      const cells =
        status < 0
          ? [t("compare_not_held"), "", "", ""]
          : [
              t(STATUSES[status]),
              status === 0 ? phaseName(data, i, inPlan.phase[row]) : t("none"),
              coded(inPlan.block, row) || t("none"),
              reasonOf(inPlan, row),
            ];
      return el("tr", status === 0 ? "taken" : "", [
        planCompare.head(plan.name, "row"),
        ...cells.map((text) => el("td", "", text)),
      ]);
    });
    const close = el("button", "close", t("compare_close"));
    close.type = "button";
    close.addEventListener("click", () => planCompare.closeParcel(state));
    const title = t("parcel", state.parcels.get("parcel_id", row));
    const times = planCompare.timesLabel(state.parcels.get("times", row), data);
    state.details.replaceChildren(
      el("h3", "", title),
      el("p", "hint", `${planMap.muUnit(state.parcels.get("area_mu", row))} · ${times}`),
      planCompare.table("parcel", title, heads, [el("tbody", "", rows)]),
      close,
    );
    state.details.hidden = false;
  }

  /** Where a parcel is named by (a part of) its number. */
  planCompare.finder = function (data, state) {
    const input = el("input");
    input.type = "search";
    input.id = "parcel-number";
    const answer = el("output", "hint");
    const name = el("label", "", t("compare_find"));
    name.htmlFor = input.id;
    const button = el("button", "", t("compare_find_button"));
    button.type = "submit";
    const form = el("form", "finder", [name, input, button, answer]);
    form.setAttribute("role", "search");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer.textContent = find(data, state, input.value.trim());
    });
    return form;
  };

  function find(data, state, text) {
    if (!text) return "";
    const ids = state.parcels.columns.parcel_id;
    const wanted = text.toLowerCase();
    const matches = state.parcels.rows().filter((row) => ids[row].toLowerCase().includes(wanted));
    if (matches.length === 0) return t("compare_find_none", text);
    const exact = matches.find((row) => ids[row].toLowerCase() === wanted);
    const row = exact === undefined ? matches[0] : exact;
    planCompare.openParcel(data, state, row);
    const bounds = L.latLngBounds(state.latlngs[row].flat(Infinity));
    if (bounds.isValid()) state.maps[0].map.fitBounds(bounds.pad(3), { animate: false, maxZoom: 18 });
    return exact === undefined && matches.length > 1
      ? t("compare_find_more", planMap.number(matches.length, 0))
      : "";
  }
})(window.planCompare, window.planMap);
