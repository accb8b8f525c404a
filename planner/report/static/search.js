/* Search by parcel or block id, or by the name of a zone: a text field with a list of matches, by mouse or keyboard. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;
  const SHOWN = 10;

  /** Rows whose id contains the text, exact and leading matches first. */
  planMap.findIds = function (entries, text) {
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return [];
    const rank = (id) => (id === wanted ? 0 : id.startsWith(wanted) ? 1 : 2);
    return entries
      .filter((entry) => entry.lower.includes(wanted))
      .sort((a, b) => rank(a.lower) - rank(b.lower) || a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
  };

  function entriesOf(view) {
    const ids = (table, name, show, label) =>
      table.rows().map((row) => {
        const id = String(table.get(name, row));
        return { id, lower: id.toLowerCase(), label: label ? t(label, id) : id, show: () => show(view, row) };
      });
    return ids(view.zones, "zone", planMap.showZone, "zone_name").concat(
      ids(view.blocks, "block_id", planMap.showBlock),
      view.blocks.has("project_code") ? ids(view.blocks, "project_code", planMap.showBlock) : [],
      ids(view.parcels, "parcel_id", planMap.showParcel),
    );
  }

  planMap.searchControl = function (view) {
    const entries = entriesOf(view);
    const input = el("input", "");
    input.type = "search";
    input.id = "plan-search";
    input.autocomplete = "off";
    input.spellcheck = false;
    input.placeholder = t("search");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-label", t("search"));
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", "plan-matches");
    const list = el("ul", "matches");
    list.id = "plan-matches";
    list.setAttribute("role", "listbox");

    let matches = [];
    let active = 0;

    function mark() {
      [...list.querySelectorAll("[role=option]")].forEach((item, i) => {
        item.setAttribute("aria-selected", String(i === active));
        if (i === active) input.setAttribute("aria-activedescendant", item.id);
      });
    }

    function close() {
      list.replaceChildren();
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function choose(entry) {
      input.value = entry.id;
      close();
      entry.show();
    }

    function suggest() {
      matches = planMap.findIds(entries, input.value);
      active = 0;
      const items = matches.slice(0, SHOWN).map((entry, i) => {
        const item = el("li", "", entry.label);
        item.id = "plan-match-" + i;
        item.setAttribute("role", "option");
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          choose(entry);
        });
        return item;
      });
      if (matches.length > SHOWN) items.push(el("li", "more", t("search_more", matches.length - SHOWN)));
      if (matches.length === 0 && input.value.trim() !== "")
        items.push(el("li", "more", t("search_none", input.value.trim())));
      list.replaceChildren(...items);
      input.setAttribute("aria-expanded", String(items.length > 0));
      mark();
    }

    input.addEventListener("input", suggest);
    input.addEventListener("focus", () => input.value && suggest());
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const shown = Math.min(matches.length, SHOWN);
      if (event.key === "Enter" && shown > 0) choose(matches[active]);
      else if (event.key === "ArrowDown" && shown > 0) active = (active + 1) % shown;
      else if (event.key === "ArrowUp" && shown > 0) active = (active + shown - 1) % shown;
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
      event.stopPropagation();
      mark();
    });

    const control = L.control({ position: "topleft" });
    view.controls = { ...view.controls, search: control };
    control.onAdd = () => {
      const box = el("div", "plan-search leaflet-bar", [input, list]);
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.disableScrollPropagation(box);
      return box;
    };
    return control;
  };
})(window.planMap);
