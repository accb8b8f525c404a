"""The small village with modes: two of them, written out, with consent, limits on money, decanting and new space."""

from __future__ import annotations

from pathlib import Path

from tests.docs.small_world import write_world

COST = '  cost: {value: "100000", per: mu}\n'
MODES = """\
modes:
  figures:
    land_yuan_per_mu: {value: 100000, unit: yuan/mu, source: land bureau, date: 2024-06}
    price_yuan_per_mu: {value: 150000, unit: yuan/mu, source: listings, date: 2024}
    levelled_months: {value: 12, unit: months, source: judgement, date: 2024}
  choices:
    - id: acquisition
      name_zh: 政府收储
      name_en: Government acquisition
      months: {signed: 6, demolished: 9, levelled: levelled_months, supplied: 15, built: 30}
      consent: [{of: holders, least: 0.6}, {of: area, least: 0.6}]
      far: 2.0
      lines:
        - {name: land, payer: town, payee: collective, outlay: land_compensation, income: compensation, at: signed,
           amount: land_yuan_per_mu * area_mu}
        - {name: sale, payer: developer, payee: town, outlay: land_price, income: land_sale, at: supplied,
           amount: price_yuan_per_mu * net_area_mu}
    - id: rebuild
      name_zh: 企业自改
      name_en: Owner-led
      months: {demolished: 6, levelled: 8, built: 24}
      far: 1.5
      decant_share: 0.5
      lines:
        - {name: demolition, payer: owner, payee: outside, outlay: demolition, start: launched, end: demolished,
           amount: 30 * 200 * area_mu}
  consent: {holders: area_mu / 5, signed: "0.7", expected: "0.8"}
  limits:
    - {party: town, outlay: {P1: 20000000}, peak_gap: 9000000}
  decant:
    floor_m2: 200 * area_mu
    firms: area_mu / area_mu
    large_firms: 0 * area_mu
    sites: [{name: workshops, floor_m2: 40000, from_year: 0}]
  space:
    floor_m2: 200 * area_mu
    tax_yuan: 10000 * tax_wan_yuan_per_mu * area_mu
    new_floor_per_job_m2: 50
    new_tax_yuan_per_mu: 300000
    retained_tax_share: 0.2
"""


def write_modes_world(folder: Path) -> Path:
    """Write the small village with modes in place of its cost; path of the configuration."""
    path = write_world(folder)
    text = path.read_text(encoding="utf-8")
    assert text.count(COST) == 1
    text = text.replace(COST, "  village: zone\n").replace("target_mu: 30}", "target_mu: 30, begins: -0.5}")
    path.write_text(text + MODES, encoding="utf-8")
    return path
