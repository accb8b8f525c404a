/* The words of the page and its language; the words come with its data, from the tables of `planner.labels`. */
"use strict";

window.planMap = window.planMap || {};

(function (planMap) {
  /* What the page is told to be written in: fonts choose the shapes of Chinese characters by it. */
  const TAGS = { en: "en", zh: "zh-CN" };

  let tables = {};
  let current = "";

  /** Words by language and key: {en: {key: text}, zh: {…}}. */
  planMap.setLabels = function (labels) {
    tables = labels;
  };

  planMap.language = () => current;

  /** Parts of the address after '#'; every part of the page keeps its own. */
  planMap.addressParts = () => new URLSearchParams(window.location.hash.slice(1));

  /** Every word from here on is in `language`; a page begins in the one that its address names, if it names one. */
  planMap.setLanguage = function (language) {
    const asked = current === "" ? planMap.addressParts().get("lang") : null;
    current = asked !== null && Object.hasOwn(tables, asked) ? asked : language;
    if (!Object.hasOwn(tables, current)) throw new Error("no words in language " + current);
    document.documentElement.lang = TAGS[current] || current;
  };

  /** Turns the whole page into a language, which its address then names. */
  planMap.switchLanguage = function (view, language) {
    const parts = planMap.addressParts();
    parts.set("lang", language);
    window.history.replaceState(null, "", "#" + parts);
    planMap.setLanguage(language);
    planMap.rebuild(view);
  };

  planMap.hasLabel = (key) => current !== "" && Object.hasOwn(tables[current], key);

  /** Word of `key`, with {0}, {1} … replaced. */
  planMap.t = function (key, ...values) {
    if (!planMap.hasLabel(key)) throw new Error("no label " + key);
    return tables[current][key].replace(/\{(\d)\}/g, (_, i) => String(values[Number(i)]));
  };

  /** The sentence of a layer's column in the language: `name_zh` where there is one, else the English of `name`. */
  planMap.sentence = function (table, name, row) {
    const own = `${name}_${current}`;
    return table.get(table.has(own) ? own : name, row);
  };
})(window.planMap);
