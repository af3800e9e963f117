"""Published figures: all of them with their sources, and one of each method beside a run."""

from __future__ import annotations

from baselines.report.published import published, published_figures


def test_both_values_of_a_method_that_circulate_are_listed() -> None:
    found = {
        (p.run_by, p.figures.rho, p.figures.r_l2_x100) for p in published() if p.method == "USDL" and p.with_number
    }
    assert {(rho, error) for _, rho, error in found} == {(0.8504, 0.583), (0.8913, 0.382), (0.883, 0.48)}


def test_the_same_method_run_by_others_differs_by_more_than_methods_do() -> None:
    rhos = [p.figures.rho for p in published() if p.method == "TSA" and p.with_number if p.figures.rho]
    assert len(rhos) == 4
    assert round(max(rhos) - min(rhos), 4) == 0.0281
    assert published_figures(True)["HPMCR"][0] - published_figures(True)["TSA"][0] < max(rhos) - min(rhos)  # type: ignore[operator]


def test_every_figure_says_who_ran_it_and_where_it_stands() -> None:
    for p in published():
        assert p.run_by and p.source and p.figures.rho


def test_beside_a_run_stands_the_first_of_each_method() -> None:
    assert published_figures(True)["USDL"] == (0.8504, 0.583, None, None)
    assert published_figures(False)["TSA"] == (0.8925, 0.478, 80.71, 30.17)
    assert "TPT" not in published_figures(False)
