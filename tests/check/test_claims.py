"""The headline claims of each chapter, over seeds that their thresholds were not set on."""

from __future__ import annotations

import ast

import pytest
from claims import BOOK, CLAIMS

from jepa_tutorial.studies import TUNING_SEEDS, read_study


def names(claim):
    return f"{claim.chapter}: {claim.words}"


@pytest.fixture(params=CLAIMS, ids=names)
def claim(request):
    return request.param


def share(expression, chapter, variant, *, tuning):
    """The share of a variant's runs that an expression over their values holds for."""
    rows = read_study(BOOK / f"{chapter}.ipynb")["rows"]
    found = [
        bool(eval(expression, {}, row["values"]))
        for row in rows
        if {k: v for k, v in row["parameters"].items() if k != "seed"} == variant
        and (row["parameters"]["seed"] in TUNING_SEEDS) == tuning
    ]
    assert len(found) >= 5, f"{len(found)} runs of {chapter} {variant}"
    return sum(found) / len(found)


def test_the_claim_holds_on_other_seeds_than_its_threshold_was_set_on(claim):
    assert share(claim.holds, claim.chapter, claim.variant, tuning=False) >= 0.9


@pytest.mark.parametrize(
    "claim",
    [claim for claim in CLAIMS if not claim.beforehand],
    ids=names,
    indirect=True,
)
def test_the_threshold_parts_the_two_models_on_the_seeds_that_it_was_set_on(claim):
    assert share(claim.holds, claim.chapter, claim.variant, tuning=True) == 1
    if claim.rival == claim.variant:
        assert share(claim.fails, claim.chapter, claim.rival, tuning=True) == 0


def test_the_claim_fails_for_the_model_without_the_part_in_question(claim):
    assert share(claim.fails, claim.chapter, claim.rival, tuning=False) <= 0.1


def test_both_are_asked_the_same(claim):
    def asked(expression):
        parts = ast.walk(ast.parse(expression))
        kinds = (ast.Constant, ast.operator, ast.cmpop)
        return [ast.dump(part) for part in parts if isinstance(part, kinds)]

    assert asked(claim.holds) == asked(claim.fails)
    assert claim.holds != claim.fails or claim.variant != claim.rival
