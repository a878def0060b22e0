-- Cells of the sources that were corrected on the way in, as the catalog declares.
select dataset, file, sheet, record, field, found, corrected, reason, decided_by, decided_on
from correction
where $dataset::varchar is null or dataset = $dataset::varchar
order by dataset, file, record, field
