"""The page of the portal: what is published, what is not and why, in Vietnamese and in English.

One self-contained file a language, with the colours and fonts of the reader's own system.
"""

import datetime as dt
from pathlib import Path
from typing import Literal, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from etl.catalog import Catalog, Contributor, Dataset
from etl.publish.gate import LICENCES, Refusal
from etl.publish.package import Release

Language = Literal["vi", "en"]
PAGES: dict[Language, str] = {"vi": "index.html", "en": "index.en.html"}

WORDS: dict[Language, dict[str, str]] = {
    "vi": {
        "language": "English",
        "catalog": "Danh mục DCAT (JSON-LD)",
        "published": "Dữ liệu công bố",
        "dataset": "Bộ dữ liệu",
        "publisher": "Đơn vị công bố",
        "period": "Thời kỳ",
        "rows": "Số dòng",
        "licence": "Giấy phép",
        "modified": "Cập nhật",
        "download": "Tải về",
        "checksums": "Mã kiểm tra đầy đủ",
        "description": "Mô tả các cột",
        "none": "Chưa có bộ dữ liệu nào đủ điều kiện công bố.",
        "refused": "Không công bố, và lý do",
        "why": "Lý do",
        "help": "CSV mở bằng Excel (UTF-8, dấu phẩy ngăn cột, dấu chấm thập phân). "
        "Chữ mở đầu bằng = + - @ có thêm dấu ' ở trước để bảng tính không hiểu là công thức. "
        "datapackage.json mô tả từng cột, đơn vị và nguồn.",
    },
    "en": {
        "language": "Tiếng Việt",
        "catalog": "DCAT catalog (JSON-LD)",
        "published": "Published data",
        "dataset": "Dataset",
        "publisher": "Publisher",
        "period": "Period",
        "rows": "Rows",
        "licence": "Licence",
        "modified": "Updated",
        "download": "Download",
        "checksums": "Checksums in full",
        "description": "Columns described",
        "none": "No dataset meets the conditions for publication yet.",
        "refused": "Not published, and why",
        "why": "Reason",
        "help": "CSV opens in Excel (UTF-8, columns separated by commas, decimal point). "
        "Text beginning with = + - @ has a ' before it, so that no spreadsheet runs it. "
        "datapackage.json describes every column, its unit and source.",
    },
}
REASONS: dict[Refusal, str] = {
    Refusal.SIMULATED: "Dữ liệu mô phỏng không bao giờ được công bố.",
    Refusal.CASE_LEVEL: "Dữ liệu từng hồ sơ không rời kho dữ liệu.",
    Refusal.SENSITIVE: "Có trường thông tin nhạy cảm.",
    Refusal.NOT_DECLARED: "Danh mục không khai báo công bố.",
    Refusal.NOT_OPEN: "Không có giấy phép mở.",
    Refusal.NO_PUBLISHER: "Chưa ghi đơn vị công bố.",
    Refusal.NOTHING_LOADED: "Chưa nạp dữ liệu nào.",
    Refusal.NO_KEY: "Cần khóa làm tròn để bảo vệ số đếm nhỏ; nơi cài đặt này chưa có.",
    Refusal.UNPROTECTED: "Chưa bảo vệ được số đếm nhỏ theo cách khai báo hiện nay.",
    Refusal.PERSONAL: "Có nội dung về cá nhân hoặc văn bản tự do.",
}


def page(
    catalog: Catalog, releases: list[Release], refused: dict[str, Refusal], language: Language
) -> str:
    """The whole page. Text from the catalog may hold anything: it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    spoken = _Spoken(language)
    environment.filters |= {
        "day": spoken.day,
        "count": spoken.count,
        "size": spoken.size,
        "named": spoken.named,
        "told": spoken.told,
        "reason": spoken.reason,
    }
    other = next(name for name in get_args(Language) if name != language)
    return environment.get_template("index.html.jinja").render(
        catalog=catalog,
        releases=releases,
        refused=[(catalog.datasets[name], why) for name, why in refused.items()],
        licences={name: read for name, (read, _) in LICENCES.items()},
        language=language,
        other={"language": other, "page": PAGES[other]},
        words=WORDS[language],
    )


class _Spoken:
    """How days, numbers and names are written in one language."""

    def __init__(self, language: Language) -> None:
        self.vietnamese = language == "vi"

    def day(self, day: dt.date) -> str:
        return f"{day:%d/%m/%Y}" if self.vietnamese else f"{day.day} {day:%B %Y}"

    def count(self, number: int) -> str:
        return self._number(f"{number:,}")

    def size(self, size: int) -> str:
        if size < 1000:
            return f"{size} B"
        if size < 1_000_000:
            return self._number(f"{size / 1000:,.1f}") + " kB"
        return self._number(f"{size / 1_000_000:,.1f}") + " MB"

    def named(self, thing: Catalog | Dataset | Contributor) -> str:
        return thing.title if self.vietnamese else thing.title_en or thing.title

    def told(self, thing: Catalog | Dataset) -> str:
        own = thing.description if self.vietnamese else thing.description_en
        return own or thing.description or ""

    def reason(self, why: Refusal) -> str:
        return REASONS[why] if self.vietnamese else f"{why[0].upper()}{why[1:]}."

    def _number(self, text: str) -> str:
        return text.translate(str.maketrans(",.", ".,")) if self.vietnamese else text
