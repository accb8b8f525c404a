/* The slider below the map: what is cleared up to the end of a phase, by hand or played, with a chart beside it. */
"use strict";

(function (planMap) {
  const { t, el } = planMap;
  const PLAY_MS = 1400;
  const PLAY = "M7 4v16l13-8z";
  const PAUSE = "M8 4v16M16 4v16";

  function stepName(view, step) {
    return step === 0 ? t("present_state") : planMap.phaseName(view.data, step);
  }

  /* What is cleared at a step, against its target. */
  function stepText(view, step) {
    if (step === 0) return t("present_hint");
    const phase = view.data.phases[step - 1];
    const area = planMap.mu(phase.cumulative_mu);
    if (!phase.target_mu) return t("step_cleared", area);
    const short = phase.target_mu - phase.cumulative_mu;
    const goal = short <= 0.005 ? t("target_met") : t("step_short", planMap.mu(short));
    return t("step_of_target", area, planMap.mu(phase.target_mu), goal);
  }

  /* Names under the slider, each below its place; a click goes there. */
  function ticks(view, go) {
    const count = view.data.phases.length;
    return Array.from({ length: count + 1 }, (_, step) => {
      const tick = el("span", "tick", step === 0 ? t("present_short") : view.data.phases[step - 1].id);
      tick.style.left = `${(100 * step) / count}%`;
      tick.title = stepName(view, step);
      tick.addEventListener("click", () => go(step));
      return tick;
    });
  }

  function playButton(toggle) {
    const button = planMap.button(PLAY, t("play"), toggle);
    button.classList.add("play");
    return button;
  }

  function showPlaying(button, playing) {
    const label = t(playing ? "pause" : "play");
    button.replaceChildren(planMap.icon(playing ? PAUSE : PLAY));
    button.title = label;
    button.setAttribute("aria-label", label);
    button.setAttribute("aria-pressed", String(playing));
  }

  function slider(view) {
    const input = el("input");
    Object.assign(input, { type: "range", id: "plan-step", min: 0, max: view.data.phases.length, step: 1 });
    input.setAttribute("aria-label", t("timeline"));
    return input;
  }

  /** Fills the strip below the map, anew where it is filled already; without phases it stays empty. */
  planMap.fillTimeline = function (view, strip) {
    const count = view.data.phases.length;
    strip.hidden = count === 0;
    if (count === 0) return;
    const had = document.activeElement ? document.activeElement.id : "";
    const { chart, follow } = planMap.phaseChart(view);
    const input = slider(view);
    const name = el("strong");
    const text = el("span");
    const status = el("p", "step", [name, " ", text]);
    status.setAttribute("role", "status");

    const show = () => {
      input.value = view.step;
      input.setAttribute("aria-valuetext", `${stepName(view, view.step)}: ${stepText(view, view.step)}`);
      name.textContent = stepName(view, view.step);
      text.textContent = stepText(view, view.step);
      input.style.setProperty("--done", `${(100 * view.step) / count}%`);
      follow(view.step);
    };
    const go = (step) => {
      planMap.showStep(view, step);
      show();
    };
    const play = playButton(() => toggle());
    const stop = () => {
      clearInterval(view.playing);
      view.playing = undefined;
      showPlaying(play, false);
    };
    const next = () => {
      go(view.step + 1);
      if (view.step >= count) stop();
    };
    const toggle = () => {
      if (view.playing !== undefined) return stop();
      if (view.step >= count) go(0);
      view.playing = setInterval(next, PLAY_MS);
      return showPlaying(play, true);
    };
    input.addEventListener("input", () => {
      if (view.playing !== undefined) stop();
      go(Number(input.value));
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      toggle();
    });
    if (view.playing !== undefined) stop();
    const track = el("div", "track", [input, el("div", "ticks", ticks(view, go))]);
    const key = el("p", "key", [el("span", "target", t("target_key")), el("span", "stretch", t("stretch_key"))]);
    key.lastChild.hidden = !view.data.phases.some((p) => p.stretch_mu !== null);
    strip.setAttribute("role", "group");
    strip.setAttribute("aria-label", t("timeline"));
    strip.replaceChildren(play, el("div", "steps", [status, track]), el("figure", "", [chart, key]));
    show();
    if (had === "plan-step") input.focus();
  };
})(window.planMap);
