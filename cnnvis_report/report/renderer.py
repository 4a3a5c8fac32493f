"""Templates with what a run gives them, part by part."""

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import groupby
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.environment import TemplateStream
from markupsafe import Markup

from cnnvis_report.records.images import ImageRecord, NotApplicableRecord
from cnnvis_report.report.assets import script_json
from cnnvis_report.report.links import Links
from cnnvis_report.report.payload import provenance_rows
from cnnvis_report.report.pictures.encode import Quality
from cnnvis_report.report.pictures.layers import kernel_sheet_size
from cnnvis_report.report.resources import folder
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views import headline, images, inspection, metrics, predictions, verdicts
from cnnvis_report.report.views.summary import Summary, summarize
from cnnvis_report.store.run_folder import StoredRun

Drawn = Callable[[str], str]  # a picture's address by its name


class Renderer:
    """The templates, filled with one run."""

    def __init__(self, run: StoredRun, quality: Quality) -> None:
        self.run = run
        self.quality = quality
        self.summary: Summary = summarize(run)
        self._environment = Environment(
            loader=FileSystemLoader(folder("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        named = (
            fmt.number,
            fmt.percent,
            fmt.count,
            fmt.short,
            fmt.sides,
            fmt.setting,
            fmt.stated,
            fmt.first_of,
        )
        self._environment.filters |= {function.__name__: function for function in named}
        self._environment.filters["script_json"] = lambda content: Markup(script_json(content))
        self._environment.filters["verbatim"] = Markup  # for our own scripts and style sheets alone
        self._environment.globals |= {
            "zipped": zip,
            "columns": fmt.columns,
            "unknown_images": fmt.unknown,
        }

    def stream(self, template: str, links: Links, **more: Any) -> TemplateStream:
        """A page piece by piece, so that one with thousands of images needs no memory for them."""
        context = self._common() | more | {"links": links}
        stream = self._environment.get_template(template).stream(context)
        stream.enable_buffering(64)
        return stream

    def overview(self, links: Links) -> dict[str, Any]:
        """What the overview gets."""
        run, summary = self.run.record, self.summary
        layers, default = run.network.layers, run.network.default_layer
        return {
            "stats": headline.stats(run, summary, links.page("run", "skipped")),
            "notices": headline.notices(run.notices),
            "rows": images.method_rows(run, summary),
            "confusion": images.confusion(summary),
            "confused": images.most_confused(summary),
            "precisions": verdicts.labels_by_precision(summary.label_answers)[: images.LISTED],
            "shown": images.shown_first(run),
            "gallery": self.run.images(),
            "layer_shape": next((each.shape for each in layers if each.name == default), ()),
            "worth": metrics.worth_of_set(run, summary),
            "worth_said": metrics.how(run.evaluation, run.network.kind) if run.evaluation else "",
        }

    def image(self, image: ImageRecord, neighbors: images.Neighbors) -> dict[str, Any]:
        """What an image page gets."""
        return {
            "image": image,
            "neighbors": neighbors,
            "verdict": verdicts.verdict(image),
            "label_score": verdicts.label_score(image),
            "sections": images.sections(self.run.record, image),
            "side": images.shown_first(self.run.record),
            "layers": sorted({found.layer for found in image.maps if found.layer}, key=self._layer_order),
            "worth": metrics.worth_of_image(self.run.record, image),
        }

    def image_inside(self, image: ImageRecord, drawn: Drawn) -> dict[str, Any]:
        """What the part of an image page about the inside of the network gets; `drawn` finds its pictures."""
        inside = self.run.record.inspection
        within = inside.of(image.id) if inside else None
        stages = inspection.stage_names(self.run.record, within) if within else []
        return {"within": within, "stages": stages, "drawn": drawn}

    def inside(self, drawn: Drawn) -> dict[str, Any]:
        """What the page about the inside of the network gets, where somebody looked."""
        run = self.run.record
        if run.inspection is None:
            return {}
        rows = inspection.layer_rows(run, run.inspection)
        looked = [each for each in run.inspection.images if each.image in self._names]
        return {
            "inside": run.inspection,
            "layer_rows": rows,
            "findings": inspection.findings(run.inspection),
            "health": inspection.health_data(run.inspection),
            "anchors": {row.layer.name: row.anchor for row in rows if row.shown},
            "looked": looked,
            "kept": [each for each in looked if each.side],
            "gaps": inspection.gap_sentences(run.inspection.not_applicable),
            "names": self._names,
            "drawn": drawn,
            "curve": inspection.curve,
            "kernel_sheet_size": kernel_sheet_size,
        }

    def answers(self, drawn: Drawn) -> dict[str, Any]:
        """What the page about right and wrong answers gets, where there are labels or a training."""
        run, found, of_labels = self.run.record, self.summary.answers, self.summary.label_answers
        if found is None and of_labels is None and run.training is None:
            return {}
        counted = found or of_labels
        return {
            "lead": predictions.lead(run, found, of_labels),
            "answers": found,
            "label_answers": of_labels,
            "label_rows": verdicts.labels_by_precision(of_labels),
            "label_errors": predictions.listed_labels(of_labels) if of_labels else [],
            "class_rows": predictions.class_rows(found) if found else [],
            "wrong": predictions.listed_wrong(found) if found else [],
            "charts": predictions.charts(counted) if counted else {},
            "training": run.training,
            "curves": predictions.curves(run.training) if run.training else {},
            "films": run.snapshots,
            "film_methods": predictions.film_methods(run),
            "film_name": predictions.film_name,
            "film_images": self._names,
            "there": self._names,
            "film_drawn": drawn,
        }

    def methods(self) -> dict[str, Any]:
        """What the page about the methods gets."""
        rows = images.method_rows(self.run.record, self.summary)
        return {
            "families": [(name, list(group)) for name, group in groupby(rows, key=lambda row: row.card.family)],
            "agreement": metrics.agreement_table(self.run.record, self.summary),
        }

    def about(self) -> dict[str, Any]:
        """What the page about the run gets."""
        return {"provenance": provenance_rows(self.run.record), "gaps": self._gaps()}

    @cached_property
    def _names(self) -> dict[str, str]:
        """The images by their ids; after a repair, what is said of all of them may speak of others too."""
        return {image.id: image.name for image in self.run.images()}

    def _common(self) -> dict[str, Any]:
        return {
            "run": self.run.record,
            "network": self.run.record.network,
            "summary": self.summary,
            "quality": self.quality,
            "gradient": images.gradient,
            "palettes": images.palette_names(),
            "verdict_of": verdicts.verdict,
            "seen": verdicts.seen,
            "own_labels": verdicts.own_labels,
            "column": fmt.column(self.run.record.network.kind),
            "judged": self.summary.answers is not None or self.summary.label_answers is not None,
            "has_answers": any((self.summary.answers, self.summary.label_answers, self.run.record.training)),
            "predicted_names": images.predicted_names,
        }

    def _gaps(self) -> Iterator[tuple[ImageRecord, NotApplicableRecord]]:
        return ((image, gap) for image in self.run.images() for gap in image.not_applicable)

    def _layer_order(self, name: str) -> int:
        names = [layer.name for layer in self.run.record.network.layers]
        return names.index(name) if name in names else len(names)
