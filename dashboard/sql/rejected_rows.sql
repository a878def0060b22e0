-- Broken rules of the current loads, in the order of the files.
select dataset, file, sheet, record, field, rule, value
from rejected
where $dataset::varchar is null or dataset = $dataset::varchar
order by dataset, file, record, rule
limit $limit
