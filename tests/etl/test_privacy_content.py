"""What speaks of a person does not leave, wherever it stands, and figures do."""

import random
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from etl.catalog import load_catalog
from etl.geography import load_geography
from etl.publish.content import Found, findings, heading_cells, masked, personal_cells

ROOT = Path(__file__).parents[2]
SHIPPED = load_catalog(ROOT / "data_catalog.yaml")
PLACES = set(load_geography().areas["name"])
KNOWN = frozenset(place.casefold() for place in PLACES)

# Written down here, and not made from the lists that are tested.
PEOPLE = """
Nguyễn Văn An|Trần Thị Bích Ngọc|LÊ HOÀNG PHÚC|Phạm Thị Út Em|Huỳnh Tấn Đạt|Võ Thị Sáu Nhỏ
Đặng Ngọc Hân|Bùi Xuân Trường|đỗ thị mỹ hạnh|Ngô Bảo Khuyên|Phan Thanh Giản|Vũ Đình Lĩnh
Trương Quế Chi|Đinh Công Tráng|Nguyen Thi Lan|TRAN VAN BE|Lâm Thị Hồng Thắm|Thạch Thị Sa Rây
Sơn Minh Thắng|Kim Ngọc Thái|Danh Văn Rớt|Châu Văn Tiếp|Lý Thị Huỳnh Như|Hồ Thị Cẩm Tiên
Cao Minh Lộc|Mai Thị Ánh Tuyết|Hà Văn Sớm|Tăng Thị Muội|Quách Thị Trang|Tô Hoàng Vũ
Lưu Thị Kiều Oanh|Nguyễn Phước Lộc Thọ|Trịnh Gia Hưng|Dương Văn Tèo|Đoàn Văn Bơ|Nguyễn văn Mười
Lê Thị B|Phạm V. Khoa|Nguyễn Út|Trần Hùng|Đào Thị Bé Ba|Tạ Quang Sáng|La Thị Lệ|Cù Thị Hậu
"""
ADDRESSES = """
Số nhà 12, đường Trần Phú|số 45/7 đường Nguyễn Trãi, phường Ninh Kiều
12/4A đường 30/4, phường Cái Khế|Ấp Thới Hòa, xã Thạnh Quới|ấp 3, xã Vĩnh Tường
Tổ 5, khu vực 3, phường Hưng Phú|tổ 12, ấp Mỹ Phụng|KV Bình Thường A, P. Long Tuyền
Khu phố 2, phường Vị Thanh|hẻm 51, đường 3/2, Ninh Kiều|45 Lý Tự Trọng, An Phú, Ninh Kiều
Thường trú tại xã Phong Điền|Khóm 4, phường Ngã Bảy|SỐ NHÀ 7 ĐƯỜNG HÒA BÌNH
so nha 9, duong Mau Than|nhà số 3 ấp Đông Lợi|Tạm trú tại khu nhà trọ Thanh Tâm
Địa chỉ: chợ Cái Răng|Khu vực Thạnh Mỹ, phường Thường Thạnh
"""
ALLOWED = """
Phường Lê Bình|xã Hồ Đắc Kiện|xã Phùng Nguyên|xã Tam Dương Bắc|Trần Đề|TP. Hồ Chí Minh|Hà Giang
Trường THPT Nguyễn Việt Hồng|Bệnh viện đa khoa Hoàn Mỹ|Công ty TNHH Trần Gia|cầu Trần Hoàng Na
Nâng cấp đường Nguyễn Văn Cừ nối dài|Quỹ học bổng Phan Văn Trị|Sở Nông nghiệp và Môi trường
Phòng Văn hóa - Xã hội|Đoàn Thanh niên|Hộ tịch|Hồ sơ đất đai|Lý Lịch Tư Pháp|PHẠM VI ÁP DỤNG
Lưu trú, ăn uống|Cao Đẳng Nghề Cần Thơ|Dương tính|An Sinh Xã Hội|Kim Ngạch Xuất Khẩu|Vũ trường
Khu vực 2|Khu vực kinh tế nhà nước|Tổ công nghệ số cộng đồng|Đường tỉnh 921
12 đường giao thông nông thôn|Khu vực I: nông, lâm nghiệp và thủy sản|Số 12/NQ-HĐND
Nghị định 45/2025/NĐ-CP|Quyết định 3203/QĐ-UBND|1.004227.000.00.00.H13|2242 thủ tục
123.456.789 đồng|1.234.567.890 đồng|26.685, vượt 7,8%|9 tháng 2025|01/07/2025 - 19/10/2025
1900 1234|Mã số thuế 1800123456|https://nld.com.vn/suong-nhu-khach-196250807171159612.htm
https://example.vn/post912345678.html
Can Tho's socio-economy maintain a positive growth trend in August
Maintain economic growth, accelerate public investment|Xã, phường|Ước thực hiện
TTHC đang thực hiện trên địa bàn|07/2025-10/2025|12/11/2025 9 giờ|01/07/2025-31/12/2025
12.345.678,9|1,079,203,001,234|10.0341234|0.01202512345|2020-2021 1|0,25 0,31 0,42 0,15
12,5 14,2 16,7|2.001234.000.00.00.H13|2024-01-15 08
https://example.vn/092/079203001234/tin.html
Chỉ Thị Mới|CHỈ THỊ SỐ 05|Siêu Thị An Bình|Khu Đô Thị Nam Cần Thơ|CHỈNH TRANG ĐÔ THỊ NĂM 2025
Quản Lý Đô Thị Bảy Tháng|Phòng Văn Thư|Thị Trấn Long Phú|Thị trấn Hùynh Hữu Nghĩa|Chợ Thị Nghè
Trần Đề-Cần Thơ|Thái Bình-Nam Định|Cao tốc Châu Đốc-Cần Thơ-Sóc Trăng|SO_HOA_GIAY_TO_GIAI_QUYET
DÂN SỐ THÀNH THỊ NAM|VietGAP|VNeID|120;115;130;125|100:100:100:100|08:30:00|12 + 13 + 14|1.5E+10
0.1251234567|0,125 123 4567|KV1, KV2 nông thôn|Ấp văn hóa|Khu dân cư lô 8A|Bộ Tài chính@2025
"""
# As departments, sheets and hands spell them that hide, err or are careless.
SPOILT = {
    Found.IDENTITY: """
092*188*004*512|092:188:004:512|092•188•004•512|092·188·004·512|092~188~004~512|092;188;004;512
092+188+004+512|092=188=004=512|{092}{188}{004512}|092 (188) 004512|o92188004512|0921880045l2
9.2188004512E10|092&nbsp;188&nbsp;004&nbsp;512|092'188'004'512|092…188…004512
""",
    Found.PHONE: """
0913*456*789|0913•456•789|0913·456·789|0913:456:789|0913=456=789|01684567890|0168 456 7890
0939 O12 345|09l3456789|0292/3820123|0913\t456\t789
""",
    Found.EMAIL: """
ten (a còng) gmail.com|ten{at}gmail{dot}com|ten_at_gmail_dot_com|ten a còng gmail chấm com
ten<at>gmail<dot>com|ten(@)gmail.com|ten [@] gmail.com|ten -at- gmail -dot- com|ten at gmail.com
ten@gmail
""",
    Found.NAME: """
Ng. Văn Hai|Kim Sà Rinh|Nguyễn-Văn-An|Nguyễn_Văn_An|NguyễnVănAn|Ngyễn Văn An|Nguyển Văn An
Nguyên Văn An|Đổ Thị Lan|Vỏ Văn Kiệt|Hùynh Thị Mai|Lý Sà Rươl|Kha Văn Minh|Mã Văn Tài|Tiết Thị Hoa
Ngũ Văn Tư|Kiều Thị Liên|Nhâm Văn Bình|Lư Thị Thu|Mã Thị Bích|Vưu Thị Hoa|Tất Văn Thành|Dư Thị Mai
Trầm Văn Hòa|Tri Thị Bé|Phù Văn Ba|Liên Thị Hường|Quảng Thị Lan|LU THI THU|Lâm Sà Vươl
""",
    Found.ADDRESS: """
nhà 12/3 hẻm 51|kv. 3, An Bình|căn hộ A12-03 chung cư Hưng Phú|phòng 302 nhà C5|đ/c: 12 Mậu Thân
thửa 123 tờ bản đồ 5 xã Nhơn Ái|sống tại Cái Răng|quê quán: xã Trường Long|HKTT: phường An Khánh
ấp. Thới Hòa|ấp: Thới Hòa|âp Thới Hòa, xã Thới Lai|Số 12 QL91|thường trú: Ô Môn
tạm trú: phường Hưng Lợi|nơi ở: Bình Thủy|Chung cư 91B, căn 5.04|tổ dân phố số 5 phường Cái Khế
""",
}


def several(text: str) -> list[str]:
    return [part.strip() for line in text.strip().splitlines() for part in line.split("|")]


def identities(rng: random.Random, number: int) -> list[str]:
    """Of people born in Cần Thơ, Sóc Trăng, Hậu Giang and elsewhere, as they are written."""
    forms = [
        *("{}{}{}{}", "{} {} {} {}", "{}.{}.{}.{}", "CCCD: {}{}{}{}", "số {}{}{}{} cấp 2021"),
        *("{},{},{},{}", "{}–{}–{}–{}", "{}_{}_{}_{}", "{}/{}{}{}", "{}{} {}{}", "{}-{}{}-{}"),
        *("{}  {}  {} {}", "{} - {} - {} - {}", "{}|{}|{}|{}", "{}{}{}{}.0", "'{}{}{}{}"),
        *("092/{}{}{}{}", "STT 7 {}{}{}{} 10/10/2021", "{}\u00a0{}\u00a0{}\u00a0{}"),
    ]
    found = []
    for _ in range(number):
        born = rng.choice(["092", "094", "093", "001", "079", "091"])
        who = f"{rng.randrange(2)}{rng.randrange(50, 100)}{rng.randrange(10**6):06}"
        digits = born + who
        found.append(rng.choice(forms).format(*(digits[at : at + 3] for at in (0, 3, 6, 9))))
    return found


def old_identities(rng: random.Random, number: int) -> list[str]:
    forms = ["{0}{1}{2}", "CMND {0}{1}{2}", "cmnd:{0}{1}{2} ngày 01/02/2010"]
    forms += ["{0} {1} {2}", "{0}-{1}-{2}", "{0}{1} {2}", "{0}/{1}{2}"]
    return [
        rng.choice(forms).format("36", f"{rng.randrange(1000):03}", f"{rng.randrange(10**4):04}")
        for _ in range(number)
    ]


def phones(rng: random.Random, number: int) -> list[str]:
    """Mobile ones of every network, and fixed ones of the city."""
    found = []
    for _ in range(number):
        digits = rng.choice(["90", "91", "93", "96", "70", "77", "83", "39", "56", "86"])
        digits += f"{rng.randrange(10**7):07}"
        forms = [
            *(f"0{digits}", f"+84{digits}", f"0{digits[:3]} {digits[3:6]} {digits[6:]}"),
            *(f"0{digits[:3]}.{digits[3:6]}.{digits[6:]}", f"ĐT: 0{digits}", f"SĐT0{digits}"),
            *(f"+84 {digits[:2]} {digits[2:5]} {digits[5:]}", f"liên hệ 0{digits} gặp chị Lan"),
            *(f"(0292) 3{digits[3:6]} {digits[6:]}", f"02923 {digits[3:]}"),
        ]
        found.append(rng.choice(forms))
    return found


def emails(rng: random.Random, number: int) -> list[str]:
    forms = ["{}@gmail.com", "thư: {}@cantho.gov.vn", "{} (at) yahoo.com", "{}＠example.vn"]
    return [rng.choice(forms).format(f"nguoi.{rng.randrange(9999)}") for _ in range(number)]


def planted() -> list[tuple[Found, str]]:
    rng = random.Random(20261122)
    made = {
        Found.IDENTITY: [*identities(rng, 150), *old_identities(rng, 50)],
        Found.PHONE: phones(rng, 150),
        Found.EMAIL: emails(rng, 50),
        Found.NAME: [
            *(form.format(name) for name in several(PEOPLE) for form in ("{}", "Chủ hộ: {}")),
        ],
        Found.ADDRESS: several(ADDRESSES),
    }
    return [(rule, text) for rule, texts in made.items() for text in texts]


def a_table(rng: random.Random, texts: list[str]) -> pl.DataFrame:
    """Figures as they leave, with `texts` in the remarks of some rows."""
    notes = [*texts, *rng.choices(["", "ước", *several(ALLOWED)], k=len(texts) * 4)]
    rng.shuffle(notes)
    return pl.DataFrame(
        {
            "area": [f"{31000 + at}" for at in range(len(notes))],
            "value": [float(rng.randrange(5000)) for _ in notes],
            "note": notes,
        }
    )


def test_of_some_hundred_planted_people_none_passes():
    rng = random.Random(7)
    kept = {text for _, text in planted()}
    assert len(kept) > 450
    everything = [text for _, text in planted()]
    rng.shuffle(everything)
    for start in range(0, len(everything), 40):
        some = everything[start : start + 40]
        table = a_table(rng, some)
        found = {cell.record for cell in personal_cells(table, key=["area"], places=PLACES)}
        holding = table.with_row_index("record", offset=1).filter(pl.col("note").is_in(some))
        assert found == set(holding["record"])


@pytest.mark.parametrize("rule", list(dict.fromkeys(rule for rule, _ in planted())))
def test_each_is_found_for_what_it_is(rule):
    missed = [
        text for kind, text in planted() if kind == rule and rule not in findings(text, KNOWN)
    ]
    # Two syllables, one of them no name elsewhere: told only beside other names.
    assert [text for text in missed if "Út" not in text] == []


@pytest.mark.parametrize("rule", SPOILT)
def test_each_is_found_however_it_is_spoilt(rule):
    assert [text for text in several(SPOILT[rule]) if rule not in findings(text, KNOWN)] == []


@pytest.mark.parametrize("text", several(ALLOWED))
def test_places_organisations_and_figures_pass(text):
    assert findings(text, KNOWN) == []


@pytest.mark.parametrize(
    "text", ["12/2025 Cần Thơ", "Số 123/2025 Ủy Ban Nhân Dân", "QL 1A Cái Răng", "12/7 Ninh Kiều"]
)
def test_months_days_documents_and_roads_before_a_name_are_no_house(text):
    assert findings(text, KNOWN) == []


def test_no_area_of_the_map_looks_like_a_person():
    assert [place for place in sorted(PLACES) if findings(place, KNOWN)] == []


@pytest.mark.parametrize("name", sorted({d.path for d in SHIPPED.resources if not d.simulated}))
def test_no_cell_of_the_files_that_are_shipped_gives_a_false_alarm(name):
    for path in sorted(ROOT.glob(name)):
        for table in cells_of(path):
            cells = personal_cells(table, places=PLACES)
            # Of a workbook the footnotes are here too, which are prose and are never read.
            kept = [cell for cell in cells if path.suffix == ".csv" or cell.rule != Found.PROSE]
            assert [str(cell) for cell in kept] == []


def cells_of(path: Path) -> list[pl.DataFrame]:
    if path.suffix == ".csv":
        mark = ";" if ";" in path.read_text(encoding="utf-8-sig").splitlines()[0] else ","
        return [pl.read_csv(path, separator=mark, infer_schema=False)]
    book = CalamineWorkbook.from_path(str(path))
    cells = [
        cell
        for name in book.sheet_names
        for row in book.get_sheet_by_name(name).to_python()
        for cell in row
    ]
    texts = [cell for cell in cells if isinstance(cell, str)]
    numbers = [float(cell) for cell in cells if isinstance(cell, int | float)]
    return [pl.DataFrame({"text": texts}), pl.DataFrame({"number": numbers})]


def test_what_the_catalog_says_of_its_data_gives_no_false_alarm():
    words = [word for one in SHIPPED.indicators.values() for word in (one.title, one.unit)]
    words += [word for dataset in SHIPPED.resources for word in (dataset.title, *dataset.words)]
    assert [word for word in words if findings(word, KNOWN)] == []


def test_a_name_of_two_syllables_is_told_by_the_names_around_it():
    table = pl.DataFrame({"note": ["Danh Út", "Kim Hai", "Nguyễn Thị Lan"]})
    assert [cell.record for cell in personal_cells(table)] == [1, 2, 3]
    alone = pl.DataFrame({"note": ["Kim Hai", "Phú Mỹ"]})
    assert personal_cells(alone) == []


@pytest.mark.parametrize("number", [92185001234, 1085001234, 92_085_001_234, 79_199_012_345])
def test_an_identity_number_that_lost_its_zero_in_a_column_of_numbers_is_found(number):
    for kind in (pl.Int64, pl.Float64):
        table = pl.DataFrame({"value": [12, number]}, schema={"value": kind})
        (cell,) = personal_cells(table, units={"value": "người"})
        assert (cell.record, cell.rule) == (2, Found.IDENTITY)


def test_an_old_card_that_lost_its_zero_is_found_where_nobody_says_what_is_counted():
    for kind in (pl.Int64, pl.Float64):
        table = pl.DataFrame({"code": [23456789, 12345678]}, schema={"code": kind})
        assert {cell.rule for cell in personal_cells(table)} == {Found.IDENTITY}
        assert len(personal_cells(table)) == 2
    days = pl.DataFrame({"day": [20251122, 20260101], "amount": [12345678, 40]})
    assert personal_cells(days, units={"amount": "tấn"}) == []
    some = pl.DataFrame({"amount": [12345678, 40, 12, 7]})
    assert personal_cells(some) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("092O99OO1234", Found.IDENTITY),
        ("٠٩٢٠٩٩٠٠١٢٣٤", Found.IDENTITY),
        ("92099001234", Found.IDENTITY),
        ("361234567.0", Found.IDENTITY),
        ("O939123456", Found.PHONE),
        ("939123456", Found.PHONE),
        ("0939,123,456", Found.PHONE),
        ("0939_123_456", Found.PHONE),
        ("0939/123/456", Found.PHONE),
        ("a.b@gmail,com", Found.EMAIL),
        ("a.b at gmail dot com", Found.EMAIL),
        ("12A Mậu Thân", Found.ADDRESS),
        ("số 45/7 Mậu Thân, Ninh Kiều", Found.ADDRESS),
    ],
)
def test_numbers_and_addresses_as_sheets_scans_and_hands_spoil_them_are_found(text, rule):
    assert rule in findings(text)


def test_money_and_counts_are_no_identity_numbers():
    table = pl.DataFrame({"revenue": [92185001234], "people": [912345678]})
    assert personal_cells(table, units={"revenue": "đồng", "people": "người"}) == []


def test_a_phone_that_lost_its_zero_is_found_where_nobody_says_what_is_counted():
    (cell,) = personal_cells(pl.DataFrame({"contact": [912345678]}))
    assert cell.rule == Found.PHONE


def test_prose_does_not_leave():
    text = "Người dân phản ánh việc cấp giấy chậm so với hẹn. " * 5
    assert findings(text) == [Found.PROSE]


def test_a_heading_of_personal_data_keeps_its_column_whatever_is_in_it():
    headings = {"who": ["Họ và tên"], "born": ["Năm sinh"], "value": ["Số người nộp", "Giá trị"]}
    assert [cell.column for cell in heading_cells(headings)] == ["who", "born"]


TOLD = """
Họ|Họ & tên|Tên đệm|Chủ hộ|Người nộp hồ sơ|Người đại diện|Chủ sử dụng đất|Biển số xe|Số thẻ BHYT
Passport|Full name|Phone|DOB|Zalo|Tên mẹ|Số TK|Sinh năm|Quê quán|Địa chỉ thường trú|Nơi sinh|Tel
ho_ten|so_cccd|sdt|ngay_sinh|CC/CCCD|Mã số thuế cá nhân|Số hộ khẩu|applicant
"""
HARMLESS = """
Hộ|Hộ nghèo|Chủ hộ là nữ|Tên|Tên xã|Địa chỉ nguồn|Dân tộc|Giới tính|Người tham gia BHYT|Số hộ
Telecom|Mailing|phong_ban|home|so_ho|Số người nộp|Loại xe|Chủ đầu tư|Người cao tuổi|Name
"""


def test_headings_of_personal_data_are_known_in_every_spelling_and_others_pass():
    told, others = several(TOLD), several(HARMLESS)
    assert [cell.column for cell in heading_cells({h: [h] for h in told + others})] == told


def test_what_was_found_is_never_repeated_not_even_as_a_key():
    table = pl.DataFrame({"who": ["Nguyễn Văn An"], "phone": ["0912345678"]})
    cells = personal_cells(table, key=["who"])
    assert [str(cell) for cell in cells] == [
        "who, row 1 (who=N… V… A…): personal_name: N… V… A…",
        "phone, row 1 (who=N… V… A…): phone_number: 0…",
    ]
    assert masked("a.b@c.vn") == "a….b…@c….v…"


def test_what_somebody_answers_for_passes_in_its_column_only():
    table = pl.DataFrame({"office": ["02923820536"], "note": ["02923820536"]})
    cells = personal_cells(table, passed=[("office", "phone_number")])
    assert [cell.column for cell in cells] == ["note"]
