"""Seeds, checks and reports."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys

import IPython.display
import numpy as np
import pytest
import torch

from jepa_tutorial import checks, reports, runtime, studies


def draws():
    legacy = np.random.rand()  # noqa: NPY002  the global generator is what is tested
    return random.random(), legacy, torch.rand(1).item()


def test_set_seed_repeats_all_generators():
    first = runtime.set_seed(5), draws()
    second = runtime.set_seed(5), draws()
    assert first[1] == second[1]
    assert torch.equal(
        torch.rand(3, generator=first[0]), torch.rand(3, generator=second[0])
    )
    runtime.set_seed(6)
    assert draws() != first[1]


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "7", True, None])
def test_set_seed_refuses_what_is_no_seed(seed):
    with pytest.raises(
        ValueError, match="seed must be an integer from 0 to 4294967295, got"
    ):
        runtime.set_seed(seed)


@pytest.mark.parametrize("seed", [-1, 2**32, 2**40, 1.5, "7", True, None])
def test_a_generator_refuses_a_seed_that_it_would_cut_off(seed):
    with pytest.raises(ValueError, match="seed must be an integer from 0 to"):
        runtime.new_generator(seed)


def test_sets_of_one_run_and_of_different_runs_share_no_seed():
    starts = [start for seed in range(1365) for start in runtime.deal_seeds(seed)]
    assert len(starts) == 3 * 1365
    assert np.diff(sorted(starts)).min() >= runtime.SET_SEEDS
    assert max(starts) + runtime.SET_SEEDS <= 2**32
    for seed in (-1, 1365, 0.5):
        with pytest.raises(ValueError, match="from 0 to 1364, got"):
            runtime.deal_seeds(seed)


def test_threads_are_limited_for_torch_and_for_linear_algebra():
    code = (
        "import scipy.linalg, torch\nfrom threadpoolctl import threadpool_info\n"
        "from jepa_tutorial.runtime import limit_threads\nlimit_threads()\n"
        "counts = [pool['num_threads'] for pool in threadpool_info()]\n"
        "print(torch.get_num_threads(), set(counts))"
    )
    environment = {k: v for k, v in os.environ.items() if "THREADS" not in k}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "1 {1}\n"


def test_check_shape_accepts_letters_numbers_and_equal_sizes():
    checks.check_shape("B T 2", x=torch.zeros(3, 4, 2), y=torch.zeros(3, 4, 2))


@pytest.mark.parametrize(
    ("pattern", "tensors", "message"),
    [
        ("B T", {"x": torch.zeros(3)}, "x must have the shape (B, T), got (3,)"),
        ("B 2", {"x": torch.zeros(3, 4)}, "x must have the shape (B, 2), got (3, 4)"),
        (
            "B T",
            {"x": torch.zeros(3, 4), "y": torch.zeros(3, 5)},
            "y must have the shape (B, T) with B = 3, T = 4, got (3, 5)",
        ),
        ("B", {"x": [1, 2]}, "x must be a tensor (B), got list"),
    ],
)
def test_check_shape_names_argument_expected_and_given(pattern, tensors, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_shape(pattern, **tensors)


def test_tensors_on_two_devices_are_named():
    x, y = torch.zeros(3), torch.zeros(3, device="meta")
    message = "all tensors must be on one device, got x on cpu, y on meta"
    with pytest.raises(ValueError, match=message):
        checks.check_shape("B", x=x, y=y)


def test_check_range_is_closed_and_refuses_nan():
    checks.check_range(0, 1, low=0, high=1.0)
    for number in (-1e-9, 1.0001, float("nan"), "1", None, True):
        with pytest.raises(ValueError, match="p must be a number from 0 to 1, got"):
            checks.check_range(0, 1, p=number)


def test_what_has_no_upper_limit_must_be_finite():
    checks.check_range(0, float("inf"), p=1e9)
    with pytest.raises(ValueError, match="p must be a number of at least 0, got inf"):
        checks.check_range(0, float("inf"), p=float("inf"))


def test_check_choice_lists_what_is_accepted():
    with pytest.raises(ValueError, match="mode must be one of 'a', 'b', got 'c'"):
        checks.check_choice(("a", "b"), mode="c")


@pytest.fixture
def displayed(monkeypatch):
    records = []
    monkeypatch.setattr(
        IPython.display, "display", lambda *a, **k: records.append((a, k))
    )
    return records


def test_a_table_shows_rows_and_stores_each_value(displayed, capsys):
    reports.report_table(
        {"a b": {"rank": 1.23456, "dead": True}, "c": {"rank": 2.0, "dead": False}}
    )
    assert len(displayed) == 4
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["rank", "dead"], ["a", "b", "1.23", "1"], ["c", "2", "0"]
    ]  # fmt: skip
    reports.report_table({"quiet": {"rank": 1.0}}, show=False)
    assert not capsys.readouterr().out
    assert len(displayed) == 5


def test_report_shows_four_digits_and_stores_all(displayed, capsys):
    reports.report("mean_cosine", np.float64(0.123456789))
    assert capsys.readouterr().out == "mean_cosine = 0.1235\n"
    (data,), options = displayed[0]
    assert data == {"application/papermill.record/text/plain": "0.123456789"}
    assert options["metadata"]["scrapbook"]["name"] == "mean_cosine"


@pytest.mark.parametrize("value", [3, True, "circle"])
def test_report_takes_counts_verdicts_and_text(displayed, capsys, value):
    reports.report("result", value)
    assert capsys.readouterr().out == f"result = {value}\n"


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), None, [1], torch.zeros(1)]
)
def test_report_refuses_what_is_no_result(displayed, value):
    with pytest.raises(ValueError, match="value of result must be"):
        reports.report("result", value)
    assert not displayed


@pytest.mark.parametrize("name", ["mean cosine", "", 3])
def test_report_refuses_what_is_no_name(displayed, name):
    with pytest.raises(ValueError, match="name must be an identifier"):
        reports.report(name, 1.0)


def test_progress_passes_items_and_writes_no_widget(capsys):
    assert list(reports.progress(range(3), "counting")) == [0, 1, 2]
    assert capsys.readouterr().out == ""


def test_a_missing_study_says_how_to_make_it(monkeypatch, tmp_path):
    monkeypatch.setattr(studies, "book_folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"jepa-tutorial study 99_none"):
        studies.stored_study("99_none")


def test_multiples_are_checked_and_true_is_no_count():
    checks.check_multiple(8, image_size=32)
    with pytest.raises(ValueError, match="image_size must be a multiple of 8, got 36"):
        checks.check_multiple(8, image_size=36)
    with pytest.raises(ValueError, match="image_size must be an integer of at least"):
        checks.check_multiple(1, image_size=True)
