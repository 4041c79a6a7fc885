"""Put the page together: one HTML text without any reference to the outside."""

from __future__ import annotations

from functools import cache
from typing import Any

from ferclean.config.report import ReportSettings
from ferclean.report.contents import ReportData
from ferclean.report.cost import cost_section
from ferclean.report.gallery import sample_sheet
from ferclean.report.overview import (
    data_section,
    headlines,
    noise_section,
    rate_figures,
    setting_figures,
    word_map,
)
from ferclean.report.pictures import face_uri
from ferclean.report.rendering import load_template
from ferclean.report.run_section import run_section

# Column of results.csv, heading, format.
RESULT_COLUMNS = (
    ("test_accuracy_last_epoch", "last epoch", "percent"),
    ("test_accuracy_mean_of_last_five", "mean of last five", "percent"),
    ("test_accuracy_validation_selected", "validation-selected", "percent"),
    ("test_accuracy_best_on_test_for_comparison_only", "best on test*", "percent"),
    ("test_mean_class_accuracy_last_epoch", "mean-class", "percent"),
    ("test_macro_f1_last_epoch", "macro F1", "percent"),
    ("test_ece_last_epoch", "calibration error", "percent"),
    ("label_accuracy_observed", "labels before", "percent"),
    ("label_accuracy_final", "labels after", "percent"),
    ("detection_auroc", "AUROC", "number"),
    ("detection_average_precision", "AP", "number"),
    ("detection_f1", "F1, own cut-off", "number"),
    ("detection_oracle_f1", "F1, oracle", "number"),
    ("gap_closed", "gap closed", "percent"),
)
SEED_COLUMNS = tuple(column for column in RESULT_COLUMNS if "best_on_test" not in column[0])


def render_page(data: ReportData, settings: ReportSettings) -> str:
    """Render the report.

    Parameters
    ----------
    data : ReportData
        Everything that is shown.
    settings : ReportSettings
        Title and how many faces.

    Returns
    -------
    str
        HTML. The same data gives the same text.
    """
    prepared = data.prepared

    @cache
    def picture_of(sample_id: str) -> str:
        return face_uri(prepared.face(sample_id))

    by_setting: dict[str, list[Any]] = {}
    for run in data.runs:
        by_setting.setdefault(run.setting, []).append(run)
    methods = list(dict.fromkeys(run.method for run in data.runs))
    context = {
        "title": settings.title,
        "headlines": headlines(data),
        "results": data.results.to_dict("records"),
        "result_columns": RESULT_COLUMNS,
        "seeds": data.seeds.to_dict("records") if (data.seeds["seeds"] > 1).any() else [],
        "seed_columns": SEED_COLUMNS,
        "rate_figures": rate_figures(data.seeds, methods),
        "cost": cost_section(data.costs, data.seeds, methods),
        "data": data_section(prepared),
        "sheet": sample_sheet(prepared.samples, settings.sample_sheet, picture_of),
        "noise": [noise_section(name, noise) for name, noise in data.noise.items()],
        "words": word_map(data.similarity),
        "semantics": data.semantics,
        "curves": [
            figure
            for name, runs in by_setting.items()
            for figure in setting_figures(name, runs, methods)
        ],
        "runs": [
            run_section(run, gallery=settings.gallery, picture_of=picture_of) for run in data.runs
        ],
    }
    return str(load_template("page.html").render(context))
