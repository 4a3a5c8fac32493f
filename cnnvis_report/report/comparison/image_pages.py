"""The pages of single images in a comparison, written by this process or by several."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.comparison.frame import frame
from cnnvis_report.report.comparison.image import compared_image_view
from cnnvis_report.report.comparison.payload import image_data
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.comparison.stills import image_stills, row_stills
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.renderer import write_page
from cnnvis_report.report.site.site_files import write_pictures, write_text
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.store.files.atomic import within

QUALITY = QUALITIES[0]


@dataclass(frozen=True)
class ComparedImagePages:
    """Writes pages of images into the folder of a comparison; it can be pickled, so that other processes do."""

    report: ComparedReport
    folder: Path

    def __call__(self, entry: tuple[ComparedImage, tuple[ImageRecord, ...]]) -> str:
        """Write the page of one image, with its pictures and data; its name."""
        report, folder, (image, records) = self.report, self.folder, entry
        arrays = report.arrays(records)
        pictures = chain(image_stills(report, image, arrays), row_stills(report, image, arrays))
        write_pictures(folder, f"stills/{image.id}", pictures)
        data = image_data(report, image, records, arrays, QUALITY)
        write_text(folder, f"data/{image.id}.js", assets.delivery(image.id, data))
        view = compared_image_view(report, image, records)
        path = within(folder, f"images/{image.id}.html")
        named = {"page": "image", "title": image.name, "template": "comparison_image.html"}
        write_page(path, frame(report), SiteLinks(up="../"), view=view, **named)
        return image.name
