"""Words of headers and titles: what part a column plays, English names, units, how figures add up.

A small vocabulary, on purpose. What it does not know is written without accents, and asked about
where a wrong guess could bend a figure.
"""

import re
import unicodedata
from typing import Literal

from etl.extract.raw import plain

Part = Literal[
    "area", "period", "indicator", "indicator_title", "unit", "status", "as_of", "source",
    "source_url", "note", "value", "row_number", "year", "month",
]  # fmt: skip

_PARTS: list[tuple[Part, str]] = [
    ("row_number", r"stt|tt|số tt|số thứ tự|no\.?|stt no\.?|#"),
    ("indicator", r"(mã|ký hiệu) (chỉ tiêu|số liệu)|mã|indicator( code)?"),
    ("indicator_title", r"(tên )?chỉ tiêu|(danh mục|khoản mục|nội dung)( chi| thu)?|items?"
     r"|chỉ tiêu( -)? items|indicator title"),
    ("unit", r"đơn vị( tính)?|đvt|unit( of measure)?"),
    ("status", r"tình trạng|trạng thái số liệu|tình trạng số liệu|status"),
    ("as_of", r"(ngày|thời điểm) (công bố|phát hành|cập nhật)|as[ _]of"),
    ("source", r"nguồn( số liệu)?|biểu nguồn|source"),
    ("source_url", r"(địa chỉ|đường dẫn|liên kết)( web| nguồn)?|url|link|source_url"),
    ("note", r"ghi chú|chú thích|notes?|remarks?"),
    ("value", r"giá trị|số liệu|trị số|values?|số lượng|thực hiện|kết quả|tổng số"),
    ("month", r"tháng|month"),
    ("year", r"năm|year"),
]  # fmt: skip
_AREA = re.compile(
    r"\b(xã|phường|thị trấn|quận|huyện|tỉnh|thành phố|địa phương|địa bàn|địa danh|đơn vị"
    r"( hành chính| tiếp nhận)?|nơi|khu vực|area|commune|ward|district|provinc\w*|cit(y|ies))\b"
)
_PERIOD = re.compile(
    r"\b(tháng|kỳ|kỳ báo cáo|năm|quý|tuần|ngày|thời gian|thời kỳ|quí|thang|ky|quy|period"
    r"|month|year|date|quarter)\b"
)
_LEVELS = {
    "commune": r"\b(xã|phường|thị trấn|commune|ward)\b",
    "district": r"\b(quận|huyện|thị xã|district)\b",
    "former_province": r"\b(tỉnh|provinc\w*)\b",
}
PERSONAL: list[tuple[str, str, str]] = [
    ("full_name", r"họ( và)? tên|tên (người|chủ|công dân|khách)|người (nộp|khai|đại diện)"
     r"|chủ hộ|full ?name|applicant", "the header speaks of a person"),
    ("identity_number", r"cccd|cmnd|căn cước|chứng minh|định danh|hộ chiếu|mã số thuế cá nhân",
     "the header speaks of an identity card"),
    ("phone", r"điện thoại|sđt|\bđt\b|phone|di động|zalo", "the header speaks of a telephone"),
    ("email", r"e-?mail|thư điện tử", "the header speaks of e-mail"),
    ("address", r"địa chỉ|số nhà|nơi ở|thường trú tại|chỗ ở|address",
     "the header speaks of an address"),
    ("birth_date", r"ngày sinh|năm sinh|sinh ngày|birth", "the header speaks of a birth"),
]  # fmt: skip
"""Name of a field, words in a header, and what they are evidence of."""

_ENGLISH = {
    "hồ sơ": "applications", "tiếp nhận": "received", "đã giải quyết": "resolved",
    "giải quyết": "resolved", "đúng hạn": "on_time", "quá hạn": "overdue", "trễ hạn": "overdue",
    "đang xử lý": "pending", "tồn": "pending", "lĩnh vực": "field", "thủ tục": "procedures",
    "dân số": "population", "đăng ký": "registered", "trung bình": "average", "số hộ": "households",
    "hộ nghèo": "poor_households", "hộ": "households", "người": "people", "lao động": "labour",
    "diện tích": "land_area", "gieo trồng": "planted", "lúa": "rice", "năng suất": "yield",
    "sản lượng": "output", "thủy sản": "fishery", "chăn nuôi": "livestock", "lợn": "pigs",
    "gia cầm": "poultry", "doanh thu": "revenue", "tổng thu": "revenue", "thu": "revenue",
    "chi": "expenditure", "ngân sách": "budget", "tổng": "total", "tổng số": "total",
    "đầu tư": "investment", "giải ngân": "disbursed", "xuất khẩu": "exports",
    "nhập khẩu": "imports", "kim ngạch": "value", "doanh nghiệp": "enterprises",
    "thành lập mới": "new", "du lịch": "tourism", "khách": "visitors", "lượt khách": "visitors",
    "học sinh": "pupils", "giáo viên": "teachers", "trường": "schools", "giường bệnh": "beds",
    "tỷ lệ": "share", "tỷ trọng": "share", "tốc độ tăng": "growth", "chỉ số": "index",
    "bình quân": "average", "nam": "male", "nữ": "female", "thành thị": "urban",
    "nông thôn": "rural", "giới tính": "sex", "nhóm tuổi": "age_group", "loại": "kind",
    "thường trú": "residents", "tạm trú": "temporary_residents", "khai sinh": "births",
    "khai tử": "deaths", "sinh": "births", "kết hôn": "marriages", "đất đai": "land", "đất": "land",
    "hộ tịch": "civil_status", "chứng thực": "certification", "xây dựng": "construction",
    "ngày": "day", "ngày tiếp nhận": "received_on", "ngày nộp": "filed_on",
    "ngày hẹn trả": "due_on", "ngày trả": "finished_on", "ngày trả kết quả": "finished_on",
    "ngày hoàn thành": "finished_on",
    "mã hồ sơ": "case_id", "mã": "code", "kết quả": "result",
    "hình thức nộp": "channel", "trực tuyến": "online", "trực tiếp": "counter", "kế hoạch": "plan",
    "thực hiện": "actual", "lũy kế": "to_date", "tháng": "month", "năm": "year", "giá trị": "value",
    "số lượng": "number", "số": "number", "mô tả": "description", "khối lượng": "volume",
    "hè thu": "summer_autumn", "đông xuân": "winter_spring", "cả năm": "whole_year",
    "thủ tục hành chính": "procedures", "số hồ sơ": "applications",
    "nghìn": "thousand", "tiền": "amount", "phí": "fee", "lệ phí": "fee",
}  # fmt: skip
_LONGEST_PHRASE = 4

_UNIT = re.compile(
    r"(?:(?:nghìn|ngàn|triệu|tỷ|tỉ|1000|1\.000) ?)?(?:đồng|usd|vnđ|vnd|người|hộ|ha|km2|km²|m2|m²|m3"
    r"|tấn|kg|tạ|lượt|lượt khách|con|hồ sơ|vụ|ca|trường|học sinh|giường|doanh nghiệp|lao động|điểm"
    r"|thủ tục|chiếc|cái|mwh|kwh|lít|km)(?:/[\w/]+)?|%|‰|\d{4} ?= ?100|năm trước ?= ?100",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(người|hộ|hồ sơ|số vụ|học sinh|doanh nghiệp|giáo viên|nhân khẩu|dân số)\b"
)

Aggregate = Literal["sum", "last", "rate"]
_AGGREGATES: list[tuple[Aggregate, str]] = [
    ("rate", r"tỷ lệ|tỉ lệ|tỷ suất|tỷ trọng|tỉ trọng|chỉ số|bình quân|mật độ|năng suất|tốc độ"
     r"|mức tăng|điểm|%|‰|= ?100|rate|share|index|so (với )?cùng kỳ"),
    ("last", r"dân số|population|số hộ|hộ nghèo|dư nợ|số dư|tồn|cuối kỳ|hiện có|đang (xử lý|giải"
     r" quyết|hoạt động)|diện tích (tự nhiên|đất)|giường|\bđàn\b|số lượng (lợn|gia cầm|trâu|bò)"
     r"|\(tại|nhân khẩu|thường trú|tạm trú|giáo viên|học sinh|km2|km²"),
    ("sum", r"tiếp nhận|giải quyết|doanh thu|tổng thu|tổng chi|\bthu\b|\bchi\b|sản lượng|output"
     r"|xuất khẩu|nhập khẩu|số vụ|lượt|khai sinh|khai tử|cấp mới|thành lập|khối lượng|giải ngân"
     r"|gieo trồng|planted|received|bán lẻ|số trẻ|kết hôn"),
]  # fmt: skip

TOTALS = re.compile(
    r"^(tổng( số| cộng| thu| chi)?|cộng|chung|toàn (thành phố|tỉnh|huyện|xã)|total|whole country)"
    r"( .{0,30})?$",
    re.IGNORECASE,
)
NOTES = re.compile(
    r"^\W*(ghi chú|nguồn|chú thích|người lập|lập biểu|notes?\b|remarks?\b|sources?\b|xem thêm"
    r"|[^\W\d][^,\d]{1,30}, ngày [\d.…]+ ?tháng\b|thủ trưởng|giám đốc\b|\(?ký tên)",
    re.IGNORECASE,
)
ROMAN = r"[IVX]+"
_UNIT_LINE = re.compile(
    r"^\W*(?:đơn vị(?: tính)?|đvt|unit)\s*:?\s*(.+?)\W*$", re.IGNORECASE | re.DOTALL
)


def part_of(header: str) -> Part | None:
    """What a column of this header most likely is, by its words alone."""
    word = plain(header)
    for part, pattern in _PARTS:
        if re.fullmatch(pattern, word):
            return part
    return None


def speaks_of_area(header: str) -> bool:
    """Whether the header has a word for places."""
    return bool(_AREA.search(plain(header)))


def level_of(header: str) -> str | None:
    """The level of area the header speaks of, if only one."""
    word = plain(header)
    found = [level for level, pattern in _LEVELS.items() if re.search(pattern, word)]
    return found[0] if len(found) == 1 else None


def speaks_of_period(header: str) -> bool:
    """Whether the header has a word for time."""
    return bool(_PERIOD.search(plain(header).replace("_", " ")))


def personal(header: str) -> tuple[str, str] | None:
    """Name of a sensitive field and the evidence, if the header speaks of a person."""
    word = plain(header)
    return next(((name, why) for name, pattern, why in PERSONAL if re.search(pattern, word)), None)


def split_unit(header: str) -> tuple[str, str | None]:
    """Title and unit: 'Dân số (người)' is 'Dân số' in 'người'; None where no unit is named."""
    text = " ".join(header.split())
    inside = re.fullmatch(r"(.*\S)\s*[(\[]([^()\[\]]+)[)\]]", text)
    if inside and (_UNIT.fullmatch(inside[2].strip()) or inside[2].lower().startswith("đvt")):
        unit = re.sub(r"^đvt:?\s*", "", inside[2], flags=re.IGNORECASE).strip()
        return inside[1], unit
    for cut in (match.start() for match in re.finditer(r" ", text)):
        if _UNIT.fullmatch(text[cut + 1 :]) and any(
            mark in text[cut + 1 :] for mark in ("%", "=", "đồng", "USD", "‰")
        ):
            return text[:cut].rstrip(" ,-"), text[cut + 1 :]
    return text, None


def unit_in(line: str) -> str | None:
    """The unit that a line above a table gives to all of it: 'Đơn vị tính: triệu đồng'."""
    text = " ".join(line.split())
    if match := _UNIT_LINE.match(text):
        return _small(match[1].strip(" :.()"))
    first = re.split(r"\s+-\s+", text)[0]
    return _small(first) if _UNIT.fullmatch(first) else None


def _small(unit: str) -> str:
    """'Nghìn người' within a line is 'nghìn người'; 'USD' stays."""
    return unit if unit[:2].isupper() else unit[:1].lower() + unit[1:]


def is_unit(text: str) -> bool:
    """Whether a text is the name of a unit."""
    return bool(_UNIT.fullmatch(" ".join(text.split()))) or bool(
        re.search(r"%|‰|đồng|\bUSD\b|= ?100", text)
    )


def is_counted(text: str) -> bool:
    """Whether what is named comes in whole pieces: people, cases, schools; not in thousands."""
    word = plain(text)
    return bool(_COUNTED.search(word)) and not re.search(r"nghìn|ngàn|triệu|tỷ|tỉ|1\.?000", word)


def aggregate_of(title: str, unit: str | None) -> tuple[Aggregate, str] | None:
    """How figures of this title add up over months and areas, and the word that says so."""
    text = plain(f"{title} {unit or ''}")
    for aggregate, pattern in _AGGREGATES:
        if match := re.search(pattern, text):
            return aggregate, match[0].strip("( ")
    return None


def name_of(text: str, default: str = "figure") -> str:
    """An identifier, English as far as the words are known, else without accents.

    'Dân số đăng ký' is 'population_registered'.
    """
    pieces = [piece for piece, _ in _translated(text)]
    return _as_name("_".join(dict.fromkeys(pieces)), default)


def english(text: str) -> str | None:
    """A rough English title, if every word of it is known."""
    pieces = _translated(text)
    if not pieces or not all(known for _, known in pieces):
        return None
    return " ".join(dict.fromkeys(piece for piece, _ in pieces)).replace("_", " ").capitalize()


def two_languages(title: str) -> tuple[str, str | None]:
    """Title and English title: 'Dân số (Population)' has both; else by the words, if known."""
    both = re.fullmatch(r"(.*\S)\s*\(([A-Za-z][A-Za-z ,.'-]+)\)", title)
    if both and not both[1].isascii():
        return both[1], both[2]
    return title, english(title)


def _translated(text: str) -> list[tuple[str, bool]]:
    """The longest known phrases in English, other words without accents; whether each is known."""
    composed = unicodedata.normalize("NFC", split_unit(text)[0]).lower()
    words = re.findall(r"[^\W_]+", composed)
    made: list[tuple[str, bool]] = []
    while words:
        sizes = range(min(_LONGEST_PHRASE, len(words)), 0, -1)
        size = next((n for n in sizes if " ".join(words[:n]) in _ENGLISH), 0)
        phrase = " ".join(words[: size or 1])
        made.append((_ENGLISH.get(phrase) or without_accents(phrase), bool(size)))
        words = words[size or 1 :]
    return made


def _as_name(text: str, default: str) -> str:
    tidy = re.sub(r"[^a-z0-9]+", "_", text).strip("_")[:48].strip("_")
    if not tidy:
        return default
    return tidy if tidy[0].isalpha() else f"{default}_{tidy}"[:63]


def slug(text: str, default: str) -> str:
    """An identifier of the letters as they are, without accents: 'Thường trú' is 'thuong_tru'."""
    return _as_name(without_accents(text).lower(), default)


def without_number(title: str) -> str:
    """A title without 'Biểu 02.' or '1.2.' before it."""
    return (
        re.sub(r"^((?i:biểu|bảng|phụ lục|table)\s*)?[\dIVX]+([.:/-][\d\w-]*)*[.:]?\s+", "", title)
        or title
    )


def without_accents(text: str) -> str:
    """Letters as on an English keyboard."""
    bare = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def unlike(label: str, source: str, taken: set[str]) -> str:
    """`label`, or the same with its source or a number behind it; `taken` are plain labels."""
    tries = [label, f"{label} ({source})", *(f"{label} ({number})" for number in range(2, 1000))]
    return next(words for words in tries if plain(words) not in taken)


def unique(name: str, taken: set[str]) -> str:
    """`name`, or `name_2` and so on if it is taken."""
    tries = [name, *(f"{name}_{number}" for number in range(2, 1000))]
    return next(word for word in tries if word not in taken)
