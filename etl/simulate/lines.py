"""Dossiers as lines of a file, and what is wrong with some of them."""

import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from etl.simulate.assumed import BAD_SHARE, CHANNELS, MERGER, RESULTS, TORN_SHARE, Ints
from etl.simulate.city import City
from etl.simulate.days import Span
from etl.simulate.month import Dossiers, drawn_month

COLUMNS = {
    "id": "Mã hồ sơ",
    "procedure": "Mã thủ tục",
    "category": "Lĩnh vực",
    "area": "Đơn vị tiếp nhận",
    "received": "Ngày tiếp nhận",
    "due": "Ngày hẹn trả",
    "finished": "Ngày trả kết quả",
    "channel": "Hình thức nộp",
    "result": "Kết quả",
    "applicant": "Họ tên người nộp",
    "phone": "Số điện thoại",
}
UNREADABLE = "line_readable"
SPOILT: dict[str, tuple[str, list[str]]] = {
    "area_known": ("area", ["Xã Không Có", "Phường Chưa Rõ", "Đơn vị khác"]),
    "received_readable": ("received", ["31/02/2026", "hôm qua", "00/00/0000"]),
    "due_readable": ("due", ["30/02/2026", "chưa hẹn", "32/13/2025"]),
    "category_known": ("category", ["Lĩnh vực khác", "Chưa phân loại", "Hải quan"]),
    "channel_known": ("channel", ["Qua Zalo", "Fax", "Không rõ"]),
    "id_required": ("id", [""]),
}
"""Per rule, the column that breaks it and what is written there."""
RULES = [*SPOILT, "finished_after_received", "id_unique"]


def write_month(path: Path, city: City, month: date) -> tuple[int, dict[str, int]]:
    """Write one file; the number of its lines, and of the bad ones by rule."""
    rng = np.random.default_rng(np.random.SeedSequence([city.seed, month.year, month.month]))
    span = city.span
    drawn = drawn_month(rng, city, month)
    dossiers = drawn.within(span.number(span.first), span.number(span.last))
    frame = _as_text(rng, city, dossiers)
    frame, planted = _plant(rng, frame, dossiers, span, month)
    torn = int(rng.poisson(TORN_SHARE * len(frame))) if len(frame) else 0
    _write(path, frame, np.sort(rng.integers(0, max(len(frame), 1), torn)))
    return len(frame) + torn, {**planted, UNREADABLE: torn}


def _as_text(rng: np.random.Generator, city: City, dossiers: Dossiers) -> pl.DataFrame:
    span = city.span
    person = pl.Series(rng.integers(1, 1_000_000, len(dossiers))).cast(pl.String).str.zfill(6)
    place = pl.Series(dossiers.place).cast(pl.String).str.zfill(5)
    return pl.DataFrame(
        {
            "id": pl.select(
                pl.format("000.00.MP.H13-{}-{}", span.codes.gather(dossiers.day), place)
            ).to_series(),
            "procedure": city.procedures["code"].gather(dossiers.procedure),
            "category": city.fields["label"].gather(dossiers.field),
            "area": city.offices.written(rng, dossiers.office),
            "received": span.texts.gather(dossiers.day),
            "due": span.texts.gather(dossiers.due),
            "finished": span.texts.gather(_or_null(dossiers.finished, span)),
            "channel": pl.Series(CHANNELS).gather(dossiers.channel),
            "result": pl.Series([*RESULTS, None]).gather(dossiers.result),
            "applicant": "Người nộp " + person,
            "phone": "0000" + person,
        }
    )


def _or_null(days: Ints, span: Span) -> Ints:
    return np.where(days < 0, len(span.texts) - 1, days)


def _plant(
    rng: np.random.Generator, frame: pl.DataFrame, dossiers: Dossiers, span: Span, month: date
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The frame with some rows spoilt, each in one way, and their number by rule."""
    chosen, earlier = _chosen(rng, len(frame), month)
    for rule, (column, texts) in SPOILT.items():
        frame = _overwritten(
            frame, column, chosen[rule], rng.choice(texts, len(chosen[rule])).tolist()
        )
    frame = _overwritten(frame, "id", chosen["id_unique"], frame["id"].gather(earlier))
    rows = chosen["finished_after_received"]
    too_early = dossiers.day[rows] - rng.integers(1, 21, len(rows))
    frame = _overwritten(frame, "finished", rows, span.texts.gather(too_early))
    frame = _overwritten(frame, "result", rows, [RESULTS[0]] * len(rows))
    return frame, {rule: len(rows) for rule, rows in chosen.items()}


def _chosen(rng: np.random.Generator, lines: int, month: date) -> tuple[dict[str, Ints], Ints]:
    """Rows to spoil by rule, no row twice, and the sound rows whose ids stand again below."""
    counts = rng.poisson(BAD_SHARE * lines, len(RULES))
    if month < MERGER:
        # A former name without a day cannot be told from today's: a second rule would be broken.
        counts[RULES.index("received_readable")] = 0
    repeated = counts[RULES.index("id_unique")]
    if counts.sum() + repeated > lines:
        counts[:], repeated = 0, 0
    rows = rng.permutation(lines)[: counts.sum() + repeated]
    chosen = dict(zip(RULES, np.split(rows, np.cumsum(counts))[:-1], strict=True))
    pairs = np.stack([chosen["id_unique"], rows[counts.sum() :]])
    return {**chosen, "id_unique": pairs.max(axis=0)}, pairs.min(axis=0)


def _overwritten(
    frame: pl.DataFrame, column: str, rows: Ints, texts: Sequence[str] | pl.Series
) -> pl.DataFrame:
    if not len(rows):
        return frame
    written = pl.Series(texts, dtype=pl.String).replace("", None)
    return frame.with_columns(frame[column].scatter(rows, written))


def _write(path: Path, frame: pl.DataFrame, torn: Ints) -> None:
    """CSV with BOM and CRLF; before each row of `torn`, a line with one cell too many."""
    named = frame.rename(COLUMNS)
    ends = [*torn.tolist(), len(frame)]
    with path.open("wb") as file:
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            part = named.slice(start, end - start)
            part.write_csv(
                file, include_bom=number == 0, include_header=number == 0, line_terminator="\r\n"
            )
            if end < len(frame):
                file.write(_torn_line(frame.row(end)))


def _torn_line(row: tuple[str, ...]) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame([[*row, "ghi chú"]], orient="row").write_csv(
        buffer, include_header=False, line_terminator="\r\n"
    )
    return buffer.getvalue()
