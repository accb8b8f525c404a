"""The report on progress as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planner.labels import Labels
from planner.monitoring.form import AREA
from planner.report import markdown as md
from planner.report.progress.data import SOON_MONTHS, definitions, is_soon
from planner.spec_modes import MILESTONES

Data = Mapping[str, Any]


def progress_text(data: Data, language: str) -> str:
    """The report of `planner.report.progress.data.progress_data` in a language."""
    words = Labels.of(language, AREA)
    lines = [f"# {words('mon_title', data['at'])}: {md.text(data['title'])}", ""]
    if data["synthetic"]:
        lines += [f"**{words('synthetic_label')}**", ""]
    if data["note"]:
        lines += [md.text(data["note"]), ""]
    lines += [words("mon_entries", md.text(data["entries"])), ""]
    parts = (
        ("headline", _headline(data, words)),
        ("projects", _projects(data, words)),
        ("slips", _slips(data, words)),
        ("expiring", _expiring(data, words)),
        ("findings", _findings(data, words)),
        ("definitions", (f"- {words(key)}" for key in definitions(data))),
    )
    for name, part in parts:
        lines += [f"## {words(f'mon_part_{name}')}", "", *part, ""]
    return "\n".join(lines).rstrip() + "\n"


def share(value: float | None) -> str:
    """Per cent with one decimal; empty for none."""
    return "" if value is None else f"{100 * value:.1f} %"


def forecast(phase: Data, words: Labels) -> str:
    """When the floor of a phase will be met."""
    if phase["target_mu"] <= 0:
        return words("mon_no_target")
    if phase["target_month"] is None:
        return words("mon_forecast_never")
    late = phase["late_by"]
    when = words("mon_forecast_met", phase["target_month"])
    how = words("mon_forecast_late", late, phase["ends"]) if late else words("mon_forecast_in_time", phase["ends"])
    return f"{when}; {how}" if words.language == "en" else f"{when}，{how}"


def _running(data: Data) -> Data:
    found: Data = next(p for p in data["phases"] if p["id"] == data["running_phase"])
    return found


def _headline(data: Data, words: Labels) -> Iterator[str]:
    head, phase = data["headline"], _running(data)
    runs = "mon_phase_over" if data["phase_over"] else "mon_phase_runs"
    yield words(runs, md.text(phase["id"]), phase["begins"], phase["ends"])
    yield ""
    mu = words("mon_all_mu")
    for what in ("cleared", "accepted"):
        parts = [f"{md.mu(head[f'{what}_mu'])} {mu}"]
        for goal, label in (("target", "mon_of_floor"), ("stretch", "mon_of_stretch")):
            if head[f"{what}_of_{goal}"] is not None:
                parts.append(words(label, share(head[f"{what}_of_{goal}"]), md.mu(phase[f"{goal}_mu"])))
        if head[f"{what}_unknown"]:
            parts.append(words("mon_unknown_projects", head[f"{what}_unknown"]))
        yield f"- {words(f'mon_{what}')}: {'; '.join(parts)}"
    left = [f"{md.mu(head['to_clear_mu'])} {mu}", words("mon_left_projects", head["open_projects"], head["projects"])]
    left += [words("mon_left_unknown", head["to_clear_unknown"])] if head["to_clear_unknown"] else []
    left += (
        [words("mon_dropped", head["dropped_projects"], md.mu(head["dropped_mu"]))] if head["dropped_projects"] else []
    )
    yield f"- {words('mon_left')}: {'; '.join(left)}"
    yield f"- {words('mon_forecast', md.text(phase['id']))}: {forecast(phase, words)} ({words('mon_if')})"
    yield ""
    keys = ("phase", "ends", "target", "stretch", "planned_now", "counted", "share", "planned", "forecast_end")
    header = [words(f"mon_{key}") for key in (*keys, "floor_month", "stretch_month")]
    yield from md.table(header, (_phase(p, words) for p in data["phases"]), "llrrrrrrrll")


def floor_month(phase: Data, words: Labels) -> str:
    """Month in which the floor is met, with the months that this is after the end of the phase; empty without one."""
    if phase["target_month"] is None:
        return words("mon_never") if phase["target_mu"] else ""
    late = f" ({phase['late_by']:+d})" if phase["late_by"] else ""
    return f"{phase['target_month']}{late}"


def _phase(phase: Data, words: Labels) -> list[str]:
    none = words("mon_none")
    stretch = phase["stretch_mu"]
    return [
        md.text(phase["id"]),
        phase["ends"],
        md.mu(phase["target_mu"]),
        md.mu(stretch, none),
        md.mu(phase["planned_now_mu"]),
        md.mu(phase["counted_mu"]),
        share(phase["counted_of_target"]) or none,
        md.mu(phase["planned_mu"]),
        md.mu(phase["forecast_mu"]),
        floor_month(phase, words) or none,
        phase["stretch_month"] or (words("mon_never") if stretch else none),
    ]


def _projects(data: Data, words: Labels) -> Iterator[str]:
    milestones = milestones_of(data)
    keys = ["code", "name", "phase", "state", "slip", "planned_cleared", "cleared_mu", "cleared_share"]
    keys += ("planned_accepted", "accepted_mu", "accepted_share")
    header = [words(f"mon_{key}") for key in keys] + [words(f"milestone_{m}") for m in milestones]
    unknown = words("mon_until_unknown")
    rows = (
        [
            p["code"],
            md.text(p["name"]),
            md.text(p["phase"]),
            words(f"mon_shown_{p['state']}"),
            f"{p['slip']:+d}" if p["slip"] else "",
            md.mu(p["planned_cleared_mu"]),
            md.mu(p["cleared_mu"], unknown if p["cleared_unknown"] else ""),
            share(p["cleared_share"]),
            md.mu(p["planned_accepted_mu"]),
            md.mu(p["accepted_mu"], unknown if p["accepted_unknown"] else ""),
            share(p["accepted_share"]),
            *(step_text(p["steps"].get(m), words) for m in milestones),
        ]
        for p in data["projects"]
    )
    yield from md.table(header, rows, "llllrrrrrrr")
    yield ""
    yield words("mon_reading")


def milestones_of(data: Data) -> list[str]:
    """Milestones that some project has, in order."""
    return [m for m in MILESTONES if any(m in p["steps"] for p in data["projects"])]


def step_text(step: Data | None, words: Labels) -> str:
    """A milestone in one cell: planned, then ✓ reached or → forecast, with the slip."""
    if step is None:
        return ""
    slip = f" ({step['slip']:+d})" if step["slip"] else ""
    if step["reached"] is not None:
        now = f"✓ {step['reached']}"
    elif step["passed"]:
        now = words("mon_passed")
    else:
        now = "" if step["forecast"] in {None, step["planned"]} else f"→ {step['forecast']}"
    return " ".join(filter(None, [step["planned"], f"{now}{slip}".strip()]))


def _slips(data: Data, words: Labels) -> Iterator[str]:
    if not data["slipping"]:
        yield words("mon_no_slips")
        return
    keys = ("code", "name", "at_stake", "slip", "coming", "coming_planned", "coming_forecast")
    rows = (
        [
            s["code"],
            md.text(s["name"]),
            md.mu(s["at_stake_mu"]),
            f"{s['slip']:+d}",
            words(f"milestone_{s['milestone']}"),
            s["planned"],
            s["forecast"],
        ]
        for s in data["slipping"]
    )
    yield from md.table([words(f"mon_{key}") for key in keys], rows, "llrrlll")


def _expiring(data: Data, words: Labels) -> Iterator[str]:
    soon = [x for x in data["expiring"] if is_soon(x)]
    if soon:
        header = [words(f"mon_{key}") for key in ("code", "what", "number", "until", "left_time")]
        rows = (
            [
                x["code"],
                md.text(what_expires(x, words)),
                md.text(x["number"]),
                x["until"] or words("mon_until_unknown"),
                time_left(x, words),
            ]
            for x in soon
        )
        yield from md.table(header, rows)
    else:
        yield words("mon_nothing_expires", SOON_MONTHS)
    yield ""
    if len(soon) < len(data["expiring"]):
        yield words("mon_later_elsewhere", len(data["expiring"]) - len(soon))
        yield ""
    unknown = data["unknown_leases"]
    if unknown is None:
        yield words("mon_no_leases")
    elif unknown:
        yield words("mon_leases_unknown", unknown)


def what_expires(item: Data, words: Labels) -> str:
    """What it is, in words."""
    if item["kind"] == "approval":
        return str(item["name"])
    told = words("mon_lease", item["parcels"], md.mu(item["area_mu"]))
    if item["beyond"] is None:
        return told
    more = words("mon_lease_beyond" if item["beyond"] else "mon_lease_within")
    return f"{told}: {more}" if words.language == "en" else f"{told}，{more}"


_SOON_DAYS = 92


def time_left(item: Data, words: Labels) -> str:
    """Days where they are few, else months."""
    days = item["days_left"]
    if days is None:
        return words("mon_none")
    if days < 0:
        return words("mon_days_over", -days)
    return words("mon_days_left", days) if days <= _SOON_DAYS else words("mon_months_left", item["months_left"])


def _findings(data: Data, words: Labels) -> Iterator[str]:
    if not data["findings"]:
        yield words("mon_no_findings")
    for finding in data["findings"]:
        whose = f"{finding['code']}: " if finding["code"] else ""
        yield f"- {whose}{md.text(finding['text'][words.language])}"
