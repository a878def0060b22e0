"""TCVN3, VNI and Windows-1258, as bytes and as the Latin-1 characters they were taken for."""

import codecs
import datetime as dt
import io
import unicodedata

import pytest
import xlsxwriter
from conftest import SHARED, observed
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from etl.catalog import load_catalog
from etl.errors import ForesightError
from etl.geography import areas
from etl.legacy_text import (
    decode,
    decode_columns,
    decode_delimited,
    detect,
    looks_legacy,
    written_in,
)

COMMUNES = areas().filter(level="commune")
TODAY = COMMUNES.filter(COMMUNES["valid_to"].is_null())["name"].to_list()
FORMER = COMMUNES.filter(COMMUNES["valid_to"] == dt.date(2025, 6, 30))["name"].to_list()

# The tables once more, in the order of the alphabet, so that one slip cannot hide in both.
LETTERS = "áàảãạăắằẳẵặâấầẩẫậéèẻẽẹêếềểễệíìỉĩịóòỏõọôốồổỗộơớờởỡợúùủũụưứừửữựýỳỷỹỵđ"
ABC = "¸µ¶·¹¨¾»¼½Æ©ÊÇÈÉËÐÌÎÏÑªÕÒÓÔÖÝ×ØÜÞãßáâä«èåæçé¬íêëìîóïñòô\xadøõö÷ùýúûüþ®"
TCVN3 = dict(zip(LETTERS, ABC, strict=True)) | dict(zip("ĂÂÊÔƠƯĐ", "¡¢£¤¥¦§", strict=True))
VNI_LETTERS = """
    aù aø aû aõ aï aê aé aè aú aü aë aâ aá aà aå aã aä eù eø eû eõ eï eâ eá eà eå eã eä
    í ì æ ó ò où oø oû oõ oï oâ oá oà oå oã oä ô ôù ôø ôû ôõ ôï uù uø uû uõ uï
    ö öù öø öû öõ öï yù yø yû yõ î ñ
"""
VNI = dict(
    zip(
        LETTERS,
        VNI_LETTERS.split(),
        strict=True,
    )
)
VNI |= {letter.upper(): written.upper() for letter, written in VNI.items()}


def in_tcvn3(text: str) -> str:
    """Capitals with tones do not exist: they are written small."""
    return "".join(TCVN3.get(c) or TCVN3.get(c.lower(), c) for c in text)


def in_vni(text: str) -> str:
    return "".join(VNI.get(c, c) for c in text)


def in_windows_1258(text: str) -> str:
    written = b""
    for letter in text:
        try:
            written += letter.encode("cp1258")
        except UnicodeEncodeError:
            *base, tone = _parts(letter)
            written += "".join(base).encode("cp1258") + tone.encode("cp1258")
    return written.decode("latin-1")


def _parts(letter: str) -> list[str]:
    """The letter without its tone, and the tone."""
    parts = unicodedata.normalize("NFD", letter)
    tone = next(c for c in parts if c in "\u0300\u0301\u0303\u0309\u0323")
    return [unicodedata.normalize("NFC", parts.replace(tone, "")), tone]


WRITTEN = {"tcvn3": in_tcvn3, "vni": in_vni, "windows-1258": in_windows_1258}
every_encoding = pytest.mark.parametrize("encoding", WRITTEN)


def test_there_are_103_communes_and_263_former_ones():
    assert (len(TODAY), len(FORMER)) == (103, 263)


@pytest.mark.parametrize(
    ("encoding", "written", "read"),
    [
        ("tcvn3", "CÇn Th¬", "Cần Thơ"),
        ("tcvn3", "§¬n vÞ: TriÖu ®ång", "Đơn vị: Triệu đồng"),
        ("tcvn3", "trung \xad¬ng", "trung ương"),
        ("vni", "Caàn Thô", "Cần Thơ"),
        ("vni", "Soùc Traêng", "Sóc Trăng"),
        ("vni", "Haäu Giang", "Hậu Giang"),
        ("vni", "ÑÔN VÒ", "ĐƠN VỊ"),
        ("vni", "Lyù Thöôøng Kieät, nghóa", "Lý Thường Kiệt, nghĩa"),
        ("windows-1258", "Câ\xccn Thõ", "Cần Thơ"),
        ("windows-1258", "ðõn vi\xf2", "đơn vị"),
    ],
)
def test_text_known_from_elsewhere_is_read(encoding, written, read):
    assert decode(written, encoding) == read
    assert decode(written.encode("latin-1"), encoding) == read


@every_encoding
def test_every_name_comes_back_from_characters_and_from_bytes(encoding):
    for name in TODAY + FORMER:
        written = WRITTEN[encoding](name)
        as_read = [decode(written, encoding), decode(written.encode("latin-1"), encoding)]
        if encoding == "tcvn3":
            assert [text.casefold() for text in as_read] == [name.casefold()] * 2
        else:
            assert as_read == [name] * 2


def test_every_letter_comes_back():
    assert decode(in_tcvn3(LETTERS + "ĂÂÊÔƠƯĐ"), "tcvn3") == LETTERS + "ĂÂÊÔƠƯĐ"
    for encoding in ("vni", "windows-1258"):
        both_cases = LETTERS + LETTERS.upper()
        assert decode(WRITTEN[encoding](both_cases), encoding) == both_cases


def test_marks_of_vni_in_the_other_case_are_read_with_the_case_of_the_vowel():
    assert decode("Aùo aÙO", "vni") == "Áo áO"


@every_encoding
@pytest.mark.parametrize("names", [TODAY, FORMER], ids=["today", "former"])
def test_the_vote_finds_the_encoding_of_a_column_of_names(encoding, names):
    assert detect([WRITTEN[encoding](name) for name in names]) == encoding
    assert detect([WRITTEN[encoding](f"Phường {name}") for name in names]) == encoding


@pytest.mark.parametrize(
    "column",
    [
        TODAY,
        FORMER,
        [unicodedata.normalize("NFD", name) for name in TODAY],
        ["Cà Mau", "Tân Bình", "xã", "Châu Thành", "Hà Tiên", "Hoà An", "toàn xã"],
        ["Côte d'Ivoire", "Mönchengladbach", "São Tomé", "Île-de-France", "Ærø", "Español"],
        ["°C", "km²", "µg/m³", "±5", "« »", "½", "§ 4", "©"],
        ["Ninh Binh", "Can Tho", "", None],
        [],
    ],
)
def test_the_vote_leaves_unicode_and_foreign_text_alone(column):
    assert detect(column) == "unicode"
    kept = [[text and unicodedata.normalize("NFC", text)] for text in column]
    assert decode_columns([[text] for text in column], "auto") == kept


def test_a_column_half_in_unicode_is_left_as_it_is():
    assert detect([*TODAY[:50], *map(in_tcvn3, TODAY[50:])]) == "unicode"


def test_words_the_catalog_expects_vote_too():
    assert detect([in_vni("Mã hiệu lò gạch")]) == "unicode"
    assert detect([in_vni("Mã hiệu lò gạch")], words=["Mã hiệu lò gạch"]) == "vni"


@given(st.lists(st.text(alphabet=LETTERS + LETTERS.upper() + "abceghiklmnopqrstuvxy ,.-0123")))
def test_unicode_vietnamese_is_never_changed(texts):
    assert [decode(text, detect(texts)) for text in texts] == texts


@given(st.lists(st.sampled_from(TODAY + FORMER), min_size=1))
def test_known_names_in_unicode_are_never_changed(names):
    assert decode_columns([[name] for name in names], "auto") == [[name] for name in names]


def test_each_column_of_a_table_is_read_by_its_own_vote():
    table = [
        ["Naêm", "§Þa ph\xad¬ng", "Côte", "Địa phương"],
        ["2024", "CÇn Th¬", "Noël", "Cà Mau"],
        ["2025"],
    ]
    assert decode_columns(table, "auto") == [
        ["Năm", "Địa phương", "Côte", "Địa phương"],
        ["2024", "Cần Thơ", "Noël", "Cà Mau"],
        ["2025"],
    ]
    assert decode_columns(table, "unicode") == table
    assert decode_columns([["§"], ["Ở"]], "tcvn3") == [["Đ"], ["Ở"]]


def test_a_delimited_text_keeps_its_quotes_blanks_and_line_ends():
    text = '"CÇn Th¬, cò";"x;y";\r\n\r\nHËu Giang;1;"a\nb"'
    read = decode_delimited(text, "auto", delimiter=";", quote='"')
    assert read == '"Cần Thơ, cũ";"x;y";\r\n\r\nHậu Giang;1;"a\nb"'


TABLE = "Xã/phường;Tháng;Tiếp nhận\n" + "".join(f"{name};01/2026;7\n" for name in TODAY)
NFD = unicodedata.normalize("NFD", TABLE)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TABLE.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TABLE.encode(), "utf-8"),
        (NFD.encode(), "utf-8"),
        (TABLE.encode() + b"\0", "utf-8"),
        (b"area;period\n", "utf-8"),
        (b"", "utf-8"),
        (TABLE.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"), "utf-16"),
        (TABLE.encode("utf-16-le"), "utf-16-le"),
        (TABLE.encode("utf-16-be"), "utf-16-be"),
        *((WRITTEN[name](TABLE).encode("latin-1"), name) for name in WRITTEN),
        ("Département;Année\nCôte-d'Or;1\n".encode("latin-1"), None),
    ],
)
def test_a_file_says_how_it_is_written(content, encoding):
    assert written_in(content, delimiter=";") == encoding


ENTRY = """
- name: applications
  title: Hồ sơ
  sources: [{path: applications.csv}]
  read: {delimiter: ";", encoding: auto}
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area, from: [Xã/phường], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [Tháng], constraints: {required: true}}
    - {name: received, type: integer, from: [Tiếp nhận], constraints: {minimum: 0}}
    primaryKey: [area, period]
  indicators: [{name: applications_received, title: Tiếp nhận, title_en: R, value: received}]
"""
CODES = sorted(COMMUNES.filter(COMMUNES["valid_to"].is_null())["code"])


@pytest.mark.parametrize(
    "content",
    [
        *(WRITTEN[name](TABLE).encode("latin-1") for name in WRITTEN),
        *(WRITTEN[name](TABLE).encode() for name in WRITTEN),
        TABLE.encode("utf-16-be"),
        NFD.encode("utf-16"),
    ],
    ids=[*WRITTEN, *(f"{name} in UTF-8" for name in WRITTEN), "UTF-16 unmarked", "NFD in UTF-16"],
)
def test_a_legacy_file_is_loaded_under_the_right_communes(refresh, content):
    seen = observed(refresh(ENTRY, applications_csv=content))
    assert sorted(seen["area"]) == CODES


def test_a_declared_encoding_overrides_the_vote(refresh):
    entry = ENTRY.replace("auto", "tcvn3")
    content = in_tcvn3("Xã/phường;Tháng;Tiếp nhận\nNinh Kiều;01/2026;7\n").encode("latin-1")
    assert observed(refresh(entry, applications_csv=content))["value"].to_list() == [7]


def test_a_file_that_is_in_no_known_encoding_is_refused_with_the_remedy(refresh):
    with pytest.raises(ForesightError, match="not clearly Vietnamese") as told:
        refresh(ENTRY, applications_csv="Xä;Mö;Nü\nÅrhus;01/2026;7\n".encode("latin-1"))
    assert "encoding: tcvn3" in told.value.hint


def test_a_workbook_in_an_old_font_is_loaded_with_its_headers(refresh):
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, in_tcvn3("Đơn vị: hồ sơ"))
        sheet.write_row(2, 0, [in_tcvn3(label) for label in ("Xã/phường", "Tháng", "Tiếp nhận")])
        for i, name in enumerate(TODAY, start=3):
            sheet.write_row(i, 0, [in_tcvn3(name), "01/2026", 7])
    entry = ENTRY.replace(".csv", ".xlsx").replace(
        'delimiter: ";", encoding: auto', "header: {find: Xã/phường}"
    )
    warehouse = refresh(entry, applications_xlsx=kept.getvalue())
    assert sorted(observed(warehouse)["area"]) == CODES
    assert observed(warehouse)["period"].unique().to_list() == [dt.date(2026, 1, 1)]


def test_the_catalog_may_say_that_a_file_is_what_it_looks_like(refresh, installation):
    entry = ENTRY.replace("encoding: auto", "text: unicode")
    with pytest.raises(ForesightError):
        refresh(entry, applications_csv=in_vni(TABLE).encode())
    assert load_catalog(installation.catalog).resources[0].read.text == "unicode"


@pytest.mark.skipif(not SHARED.exists(), reason="the ministry's files are not part of the project")
def test_a_budget_of_the_ministry_of_finance_in_tcvn3_is_read():
    book = CalamineWorkbook.from_path(str(SHARED / "data" / "samples" / "Plan_2003.xls"))
    legacy, unicode = (
        [
            [cell if isinstance(cell, str) else None for cell in row]
            for row in book.get_sheet_by_name(name).to_python()
        ]
        for name in book.sheet_names
    )
    cells = [cell for row in decode_columns(legacy, "auto") for cell in row if cell]
    for words in ("Bộ Tài chính", "tổng thu", "trung ương", "sóc trăng", "cần thơ"):
        assert any(cell.strip().casefold() == words.casefold() for cell in cells), words
    assert not any(looks_legacy(cell) for cell in cells)
    # The ministry converted the same table by hand, in capitals.
    assert decode_columns(unicode, "auto") == [
        [cell and unicodedata.normalize("NFC", cell) for cell in row] for row in unicode
    ]
