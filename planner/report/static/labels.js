/* Every word the map shows. A further language is a further table with the same keys. */
"use strict";

window.planMap = window.planMap || {};

(function (planMap) {
  const tables = {
    en: {
      locale: "en-US",
      synthetic: "SYNTHETIC",
      synthetic_note: "Generated land, not a real place.",
      note: "Assumptions",
      unknown: "unknown",
      none: "none",
      mu: "mu",
      year: "year {0}",
      phase: "Phase",
      phases: "Phases",
      in_phase: "in phase, mu",
      cumulative: "cumulative, mu",
      target: "target, mu",
      stretch: "stretch",
      stretch_row: "stretch {0} mu: {1}",
      stretch_met: "reached",
      stretch_missed: "{0} mu short",
      target_met: "target met",
      target_missed: "target missed",
      phase_cost: "cost in phase",
      by_zone: "By zone",
      colour_by: "Colour parcels by",
      colour_phase: "phase",
      colour_status: "status",
      colour_score: "score",
      legend_count: "{0} parcels, {1} mu",
      layers: "Layers",
      blocks: "Blocks",
      selected: "Selected",
      eligible: "Eligible, not selected",
      ineligible: "Not eligible",
      excluded: "Excluded",
      links_used: "Bridged links in blocks",
      links_unused: "Other possible links",
      barriers: "Barriers",
      zones: "Zones",
      filler: "Filler (remnant land)",
      candidate: "candidate",
      locked_in: "Locked in",
      locked_out: "Locked out",
      score_unknown: "score unknown",
      run: "This plan",
      status: "Status",
      status_optimal: "optimal plan",
      status_feasible: "feasible plan",
      gap_short: "no plan is better by more than {0} %",
      objective: "Objective",
      bound: "Best possible (bound)",
      gap: "Gap to the bound",
      areas_in: "Areas measured in",
      version: "Program version",
      config_hash: "Configuration",
      input_hash: "Input data",
      parcel: "Parcel {0}",
      block: "Block {0}",
      barrier: "Barrier: {0}",
      zone_name: "Zone: {0}",
      by_end_of: "In the plan by {0}",
      mu_of_target: "{0} of {1} mu",
      hatch_note: "Hatching tells neighbouring blocks of one phase apart.",
      link: "Bridged link {0} – {1}",
      reason_in: "Why it is in",
      reason_out: "Why it is out",
      area: "Area",
      score: "Score",
      score_mean: "Mean score (by area)",
      zone: "Zone",
      block_id: "Block",
      role: "Role",
      locked: "Locked",
      locked_value_in: "in",
      locked_value_out: "out",
      cost: "Cost",
      earliest: "Earliest phase",
      never: "never",
      parcels: "Parcels",
      perimeter: "Perimeter",
      compactness: "Compactness (circle = 1)",
      bridged_links: "Bridged links",
      gap_width: "Gap bridged",
      link_in_use: "In use",
      yes: "yes",
      no: "no",
      open_block: "Show block {0}",
      search: "Find parcel, block or zone",
      search_none: "No parcel, block or zone has “{0}” in its name",
      search_more: "{0} more: type more of the name",
      zoom_plan: "Show the whole plan",
      fullscreen: "Full screen",
      measure: "Measure length and area",
      measure_hint: "Click to add points, double-click or Enter to finish, Esc to stop.",
      measure_length: "Length",
      measure_perimeter: "Perimeter",
      measure_area: "Area",
      measure_clear: "Clear",
      panel: "Show or hide the legend",
      north: "North is up",
    },
  };

  let table = tables.en;

  /** Label of `key`, with {0}, {1} … replaced. */
  planMap.t = function (key, ...values) {
    const text = table[key];
    if (text === undefined) throw new Error("no label " + key);
    return text.replace(/\{(\d)\}/g, (_, i) => String(values[Number(i)]));
  };

  planMap.setLanguage = function (language) {
    table = tables[language] || tables.en;
    document.documentElement.lang = language in tables ? language : "en";
  };
})(window.planMap);
