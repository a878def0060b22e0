"""Names, codes and weights of the map, against the facts of 1 July 2025."""

import unicodedata
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.geography import (
    AmbiguousArea,
    UnknownArea,
    areas,
    district_weights,
    load_geography,
    resolve,
    resolve_many,
    weights_to_present,
)

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)
COMMUNES = areas().filter(pl.col("level") == "commune")
PRESENT = COMMUNES.filter(pl.col("valid_to").is_null())
TILES = load_geography().tiles
FORMER = COMMUNES.filter(pl.col("valid_to") == BEFORE)


def unaccented(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


TONES = {"òa": "oà", "óa": "oá", "ỏa": "oả", "ọa": "oạ", "ủy": "uỷ", "ùy": "uỳ", "úy": "uý"}


def newer_tones(text: str) -> str:
    for older, newer in TONES.items():
        text = f"{text} ".replace(f"{older} ", f"{newer} ").strip()
    return text


def test_the_city_has_103_communes_72_of_them_rural():
    assert PRESENT["kind"].value_counts().sort("kind").rows() == [("phường", 31), ("xã", 72)]
    assert areas().select("code", "valid_from").is_unique().all()


def test_263_communes_were_there_on_the_last_day_of_the_former_map():
    assert len(FORMER) == 263
    assert FORMER["parent"].n_unique() == 28


def test_the_three_former_provinces_share_the_communes_between_them():
    assert PRESENT["parent"].value_counts().sort("parent").rows() == [
        ("can_tho_old", 32),
        ("hau_giang", 28),
        ("soc_trang", 43),
    ]


def test_no_commune_has_predecessors_in_two_former_provinces():
    origin = weights_to_present().join(
        COMMUNES.select("parent", old_code="code", old_valid_from="valid_from"),
        on=["old_code", "old_valid_from"],
    )
    provinces = origin.with_columns(province=pl.col("parent").str.split(".").list.first())
    by_new = provinces.group_by("new_code").agg(pl.col("province").unique())
    joined = by_new.join(PRESENT.select("parent", new_code="code"), on="new_code")
    assert len(joined) == 103
    assert all(province == [parent] for province, parent in joined["province", "parent"].rows())


def test_every_commune_has_a_tile_of_its_own():
    assert sorted(TILES["code"]) == sorted(PRESENT["code"])
    assert TILES.select("row", "col").is_unique().all()
    assert TILES["row"].max() < 15
    assert TILES["col"].max() < 15


WAYS_TO_WRITE = {
    "as it is": "{name}".format,
    "with its kind": "{kind} {name}".format,
    "in capitals": lambda kind, name: f"{kind} {name}".upper(),
    "abbreviated": lambda kind, name: f"{kind[0].upper()}.{name}",
    "abbreviated, with a space": lambda kind, name: f"{kind[0].upper()}. {name}",
    "decomposed": lambda kind, name: unicodedata.normalize("NFD", f"{kind} {name}"),
    "with loose and no-break spaces": lambda kind, name: f" {kind}\u00a0{name}  \n",
    "newer tones": lambda kind, name: newer_tones(f"{kind} {name}"),
    "without accents": lambda kind, name: unaccented(f"{kind} {name}"),
    "without accents or capitals": lambda kind, name: unaccented(f"{kind} {name}").lower(),
    "Roman": lambda kind, name: f"{kind} {name.replace(' 1', ' I')}",
    "with its city": "{kind} {name}, TP. Cần Thơ".format,
}


@pytest.mark.parametrize("way", WAYS_TO_WRITE)
def test_each_commune_is_found_however_its_name_is_written(way):
    write = WAYS_TO_WRITE[way]
    communes = PRESENT["code", "kind", "name"].rows()
    written = {write(kind=kind, name=name): code for code, kind, name in communes}
    found = resolve_many(written, AFTER)
    assert dict(found["name", "code"].rows()) == written


@given(
    st.sampled_from(PRESENT["code", "kind", "name"].rows()),
    st.sampled_from(["", "{kind} ", "{kind}  ", "{initial}.", "{initial}. ", "{initial} "]),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.sampled_from([str, newer_tones, unaccented]),
    st.sampled_from(["NFC", "NFD"]),
    st.sampled_from([" ", "  ", "\t"]),
)
def test_ways_of_writing_may_be_combined(commune, prefix, case, tones, form, space):
    code, kind, name = commune
    prefix = prefix.format(kind=kind, initial=kind[0])
    written = case(tones(f"{prefix}{name}")).replace(" ", space)
    assert resolve(unicodedata.normalize(form, written), AFTER).code == code


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=f"{row['code']}-{row['valid_from']}")
        for row in FORMER.iter_rows(named=True)
    ],
)
def test_each_former_commune_is_found_by_kind_name_and_district(row):
    district = resolve(row["parent"], BEFORE)
    province = resolve(district.parent, BEFORE)
    full = f"{row['kind']} {row['name']}, {district.title}, {province.title}"
    assert resolve(full, BEFORE).code == row["code"]


@pytest.mark.parametrize("code", [code for code in PRESENT["code"] if code in set(FORMER["code"])])
def test_a_code_that_was_handed_on_means_what_it_meant_on_the_day(code):
    before, after = resolve(code, BEFORE), resolve(code, AFTER)
    assert (before.valid_to, after.valid_from) == (BEFORE, AFTER)
    assert before.name == FORMER.filter(pl.col("code") == code)["name"].item()
    assert after.name == PRESENT.filter(pl.col("code") == code)["name"].item()


@pytest.mark.parametrize(
    ("code", "day", "title"),
    [
        ("31147", date(2025, 6, 30), "Phường Hưng Lợi"),
        ("31147", date(2025, 7, 1), "Phường Tân An"),
        ("31135", date(2025, 6, 30), "Phường Tân An"),
        ("31135", date(2025, 7, 1), "Phường Ninh Kiều"),
        ("31522", date(2024, 8, 31), "Phường 9"),
        ("31522", date(2024, 9, 1), "Phường 1"),
    ],
)
def test_recycled_codes(code, day, title):
    assert resolve(code, day).title == title


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Vị Thanh", "31321"),
        ("Vị Thanh 1", "31465"),
        ("Vị Tân", "31333"),
        ("Long Phú", "31639"),
        ("Long Phú 1", "31480"),
        ("xa phien", "31495"),
        ("Xà Phiên", "31495"),
        ("Hoả Lựu", "31338"),
        ("P. Bình Thuỷ", "31168"),
        ("Cần Thơ", "can_tho"),
        ("TP.Cần Thơ", "can_tho"),
        ("Tỉnh Hậu Giang (cũ)", "hau_giang"),
        ("hau_giang", "hau_giang"),
        ("Phường Tân An (cũ)", "31135"),
        ("Toàn quốc", "national"),
    ],
)
def test_names_of_today(name, code):
    assert resolve(name, date(2026, 11, 21)).code == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Cần Thơ", "can_tho_old"),
        ("can_tho", "can_tho"),
        ("Sóc Trăng, tỉnh Sóc Trăng", "soc_trang.soc_trang"),
        ("TX. Long Mỹ", "hau_giang.thi_xa_long_my"),
        ("H. Long Mỹ", "hau_giang.long_my"),
        ("P3, Vị Thanh", "31321"),
        ("Phường III, TP Vị Thanh", "31321"),
        ("P.03 - TX Ngã Năm", "31747"),
        ("Xã Phú Tân, huyện Châu Thành, tỉnh Hậu Giang", "31379"),
        ("Xã Phú Tân (Châu Thành, Sóc Trăng)", "31582"),
        ("T.T. Huỳnh Hữu Nghĩa", "31567"),
        ("Xã Thạnh Qưới, huyện Vĩnh Thạnh", "31246"),
    ],
)
def test_names_before_the_merger(name, code):
    assert resolve(name, BEFORE).code == code


@pytest.mark.parametrize("mark", ["(1)", " (1)", " (*)", "*", " **", "¹", " (1) (*)", " ( 2 )"])
def test_the_mark_of_a_footnote_is_no_part_of_a_name(mark):
    assert resolve(f"Phường Ninh Kiều{mark}", AFTER).code == "31135"


def test_a_name_with_a_million_line_breaks_costs_no_more_than_another():
    with pytest.raises(UnknownArea):
        resolve("Ninh Kiều" + "\n" * 1_000_000 + "x", AFTER)


def test_a_number_in_brackets_that_may_belong_to_the_name_is_refused():
    assert resolve("Vị Thanh (*)", AFTER).name == "Vị Thanh"
    with pytest.raises(UnknownArea):
        resolve("Vị Thanh (1)", AFTER)


def test_phu_tan_in_chau_thanh_is_refused_because_there_were_two():
    with pytest.raises(AmbiguousArea) as refused:
        resolve("xã Phú Tân, huyện Châu Thành", BEFORE)
    assert "Tỉnh Hậu Giang (cũ) [31379" in refused.value.hint
    assert "Tỉnh Sóc Trăng (cũ) [31582" in refused.value.hint


def test_what_surrounds_an_area_tells_twins_apart():
    assert resolve("Phú Tân", BEFORE, within="soc_trang.chau_thanh").code == "31582"
    assert resolve("Phú Tân", BEFORE, within="Châu Thành, Hậu Giang").code == "31379"
    assert resolve("Thốt Nốt", BEFORE, level="district").code == "can_tho_old.thot_not"
    assert resolve("Thốt Nốt", BEFORE, level="commune").code == "31207"


@pytest.mark.parametrize(
    ("name", "day", "hint"),
    [
        ("Xã An Bình", AFTER, "Phường An Bình"),
        ("Ninh Kìêu", AFTER, "Phường Ninh Kiều"),
        ("Phường Ninh Kieu", AFTER, "Phường Ninh Kiều"),
        ("Vị Thanh 2", AFTER, "Xã Vị Thanh 1"),
        ("Vị Than", AFTER, "Phường Vị Thanh"),
        ("Hưng Lợi", AFTER, "at another time: Phường Hưng Lợi"),
        ("31117", AFTER, "until 2025-06-30"),
        ("Phường An Cư", BEFORE, "until 2024-10-31"),
        ("Vị Tân, tỉnh Sóc Trăng", AFTER, "Phường Vị Tân, Tỉnh Hậu Giang (cũ)"),
        ("10", BEFORE, ""),
        ("X", BEFORE, ""),
        ("Phường", BEFORE, ""),
        ("", AFTER, ""),
    ],
)
def test_nothing_is_guessed_from_a_name_that_is_nearly_right(name, day, hint):
    with pytest.raises(UnknownArea) as refused:
        resolve(name, day)
    assert hint in refused.value.hint


@given(st.sampled_from(PRESENT["name"].to_list()), st.data())
def test_a_name_with_a_letter_missing_is_never_another_commune(name, data):
    lost = data.draw(st.integers(0, len(name) - 1))
    shorter = name[:lost] + name[lost + 1 :]
    try:
        found = resolve(shorter, AFTER)
    except UnknownArea:
        return
    assert found.name == shorter.strip(), "only Vị Thanh 1 becomes Vị Thanh, which is right"


@given(st.text())
def test_any_text_is_found_or_refused(text):
    found = resolve_many([text], AFTER)
    assert found["code"].is_null().item() != found["problem"].is_null().item()


def test_many_names_are_answered_one_row_each():
    found = resolve_many(["P. Ninh Kiều", "Atlantis", "NINH KIEU", "P. Ninh Kiều"], AFTER)
    assert found.rows() == [
        ("P. Ninh Kiều", "31135", AFTER, None),
        ("Atlantis", None, None, "no area is called 'Atlantis' on 2025-07-01"),
        ("NINH KIEU", "31135", AFTER, None),
    ]


def test_every_commune_of_any_time_is_handed_on_whole():
    weights = weights_to_present()
    total = weights.group_by("old_code", "old_valid_from").agg(pl.col("weight").sum())
    every = COMMUNES["code", "valid_from"]
    assert sorted(total["old_code", "old_valid_from"].rows()) == sorted(every.rows())
    assert total["weight"].to_list() == pytest.approx([1.0] * 372)
    assert set(weights["new_code"]) == set(PRESENT["code"])


def test_only_three_wards_were_split():
    split = weights_to_present().filter("estimated").sort("old_code", "new_code")
    assert split["old_code", "new_code", "weight_lower", "weight", "weight_upper"].rows() == [
        ("31178", "31120", 0.01, 0.02, 0.03),
        ("31178", "31168", 0.97, 0.98, 0.99),
        ("31183", "31150", 0.0025, 0.005, 0.0075),
        ("31183", "31183", 0.9925, 0.995, 0.9975),
        ("31207", "31207", 0.76, 0.88, 0.96),
        ("31207", "31228", 0.04, 0.12, 0.24),
    ]


@pytest.mark.parametrize(
    ("name", "day", "merged"),
    [
        ("Phường An Cư, quận Ninh Kiều", date(2024, 10, 31), "Thới Bình"),
        ("Phường An Phú, quận Ninh Kiều", date(2024, 10, 31), "Thới Bình"),
        ("Phường An Nghiệp, quận Ninh Kiều", date(2024, 10, 31), "Thới Bình"),
        ("Phường Thới Bình, quận Ninh Kiều", date(2024, 10, 31), "Thới Bình"),
        ("Phường 1, thành phố Sóc Trăng", date(2024, 8, 31), "1"),
        ("Phường 9, thành phố Sóc Trăng", date(2024, 8, 31), "1"),
    ],
)
def test_the_mergers_of_2024_are_steps_of_their_own(name, day, merged):
    former = resolve(name, day)
    then = (
        load_geography()
        .weights_to(BEFORE)
        .filter(pl.col("old_code") == former.code, pl.col("old_valid_from") == former.valid_from)
    )
    assert [resolve(code, BEFORE).name for code in then["new_code"]] == [merged]
    now = weights_to_present().filter(
        pl.col("old_code") == former.code, pl.col("old_valid_from") == former.valid_from
    )
    assert now["weight"].to_list() == [1]


def test_figures_may_be_carried_to_a_map_of_the_past():
    on_the_eve = load_geography().weights_to(BEFORE)
    assert set(on_the_eve["new_code"]) == set(FORMER["code"])
    assert on_the_eve.filter("estimated").is_empty()
    assert AFTER not in set(on_the_eve["old_valid_from"])


def test_the_weights_of_every_district_sum_to_one_within_their_bounds():
    weights = district_weights()
    total = weights.group_by("old_code").agg(pl.col("weight").sum())
    assert total["weight"].to_list() == pytest.approx([1.0] * 28)
    assert (weights["weight_lower"] <= weights["weight"]).all()
    assert (weights["weight"] <= weights["weight_upper"]).all()
    assert weights["estimated"].all()


def test_the_people_of_all_districts_are_the_people_of_the_city():
    people = PRESENT.select("population", new_code="code")
    parts = district_weights().join(people, on="new_code")
    ninh_kieu = parts.filter(pl.col("old_code") == "can_tho_old.ninh_kieu")
    assert set(ninh_kieu["new_code"]) == {"31120", "31135", "31147", "31150"}
    assert ninh_kieu["weight"].max() == pytest.approx(0.40, abs=0.03)
    assert set(parts["new_code"]) == set(PRESENT["code"])


# --- names and codes that were handed on --------------------------------------------------------

HANDED_ON = weights_to_present().join(
    FORMER.select("kind", "name", "parent", old_code="code", old_valid_from="valid_from"),
    on=["old_code", "old_valid_from"],
)
PARTS = HANDED_ON.group_by("new_code").agg("old_code")
UNCHANGED = PARTS.filter(pl.col("old_code") == pl.concat_list("new_code"))["new_code"].to_list()
RECYCLED = sorted(set(PRESENT["code"]) - set(UNCHANGED))
TWINS = sorted(
    FORMER.group_by("kind", "name").len().filter(pl.col("len") > 1)["kind", "name"].rows()
)
MOVED = sorted(
    (now, name, former)
    for now, name in PRESENT["code", "name"].iter_rows()
    for former in FORMER.filter(pl.col("name") == name)["code"]
    if now not in set(HANDED_ON.filter(pl.col("old_code") == former)["new_code"])
)


def test_all_codes_of_today_are_former_codes_and_95_mean_another_territory():
    assert set(PRESENT["code"]) <= set(FORMER["code"])
    assert (len(UNCHANGED), len(RECYCLED)) == (8, 95)


@pytest.mark.parametrize("code", RECYCLED)
def test_a_recycled_code_has_its_figures_carried_as_the_area_of_its_day(code):
    before, after = resolve(code, BEFORE), resolve(code, AFTER)
    assert before != after
    weights = weights_to_present().filter(pl.col("old_code") == code)
    own = weights.filter(pl.col("old_valid_from") == AFTER)
    former = weights.filter(pl.col("old_valid_from") == before.valid_from)
    assert own["new_code", "weight"].rows() == [(code, 1)]
    assert former["weight"].sum() == pytest.approx(1)


@pytest.mark.parametrize(("now", "name", "former"), MOVED)
def test_a_name_that_moved_to_another_place_means_the_place_of_its_day(now, name, former):
    """Twenty names of today, 'Thuận Hưng' twice: of their former bearers, these lie elsewhere."""
    assert resolve(name, AFTER).code == now
    old = resolve(former, BEFORE)
    assert resolve(f"{old.title}, {resolve(old.parent, BEFORE).title}", BEFORE).code == former


def test_the_names_that_moved_are_known():
    assert len({name for _, name, _ in MOVED}) == 20


@pytest.mark.parametrize(("kind", "name"), TWINS)
def test_a_name_alone_is_refused_where_a_twin_existed(kind, name):
    with pytest.raises(AmbiguousArea) as refused:
        resolve(f"{kind} {name}", BEFORE)
    bearers = FORMER.filter(pl.col("kind") == kind, pl.col("name") == name)["code"]
    assert all(f"[{code}, until" in refused.value.hint for code in bearers)


@pytest.mark.parametrize(
    "written", ["Phường Tân An (cũ)", "phường Tân An (CŨ), quận Ninh Kiều", "Tân An cũ"]
)
def test_a_former_name_may_be_used_after_its_end_if_it_says_so(written):
    assert resolve(written, AFTER).valid_to == BEFORE


def test_a_former_name_of_two_areas_one_after_the_other_is_refused_in_the_time_of_the_second():
    january = date(2025, 1, 1)
    assert resolve("Phường 1, thành phố Sóc Trăng", january).code == "31522"
    with pytest.raises(AmbiguousArea):
        resolve("Phường 1 (cũ), thành phố Sóc Trăng", january)


# --- a table whose names are of one map, or of several ------------------------------------------

YEAR = (date(2025, 12, 31), date(2025, 1, 1))


def meant(*names: str, days=YEAR) -> dict[str, tuple[str, date] | None]:
    found = resolve_many(names, days, "commune")
    return {n: (code, start) if code else None for n, code, start, _ in found.iter_rows()}


def test_a_table_of_a_year_in_which_the_map_changed_is_read_on_the_map_of_all_its_names():
    former = date(2004, 1, 1)
    assert meant("P. Tân An", "P. Ninh Kiều") == {
        "P. Tân An": ("31147", AFTER),
        "P. Ninh Kiều": ("31135", AFTER),
    }
    assert meant("P. Tân An", "P. Hưng Lợi", "Atlantis") == {
        "P. Tân An": ("31135", former),
        "P. Hưng Lợi": ("31147", former),
        "Atlantis": None,
    }


def test_among_names_of_both_maps_one_that_means_two_places_is_refused():
    """Ninh Kiều is only of today and Hưng Lợi only of before; Tân An could be either."""
    found = meant("P. Tân An", "P. Hưng Lợi", "P. Ninh Kiều", "P. Tân An (cũ)")
    assert found == {
        "P. Tân An": None,
        "P. Hưng Lợi": ("31147", date(2004, 1, 1)),
        "P. Ninh Kiều": ("31135", AFTER),
        "P. Tân An (cũ)": ("31135", date(2004, 1, 1)),
    }
    said = resolve_many(["P. Tân An", "P. Hưng Lợi", "P. Ninh Kiều"], YEAR)["problem"][0]
    assert "different areas" in said
    assert "on:" in said


# --- what a name that is no good may stand for ---------------------------------------------------


@pytest.mark.parametrize(
    ("name", "on", "misfit", "first"),
    [
        ("Phường Ninh Kieu", AFTER, "near", "Phường Ninh Kiều"),
        ("Phường Xuân Khánh", AFTER, "another_time", "Phường Xuân Khánh"),
        ("Xã Phú Tân", BEFORE, "several", "Xã Phú Tân"),
        ("Qwertz", AFTER, "unknown", None),
    ],
)
def test_a_name_that_means_no_one_area_says_why_and_what_it_may_mean(name, on, misfit, first):
    why, found = load_geography().suggestions(name, on, "commune")
    assert (why, next((area.title for area in found), None)) == (misfit, first)


def test_the_address_of_every_former_commune_is_read_again_as_that_commune():
    for code, start in FORMER.select("code", "valid_from").iter_rows():
        area = resolve(code, BEFORE, "commune")
        assert area.valid_from == start
        assert resolve(load_geography().in_full(area), BEFORE, "commune") == area


def test_every_former_commune_has_successors_and_a_present_one_that_is_new_has_none():
    former = [resolve(code, BEFORE, "commune") for code in FORMER["code"]]
    assert all(load_geography().successors(area) for area in former)
    assert {heir.valid_to for area in former for heir in load_geography().successors(area)} == {
        None
    }
