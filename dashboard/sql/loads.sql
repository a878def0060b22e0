-- The last load of each dataset: files, records and what became of them.
select dataset, count(*) as files, max(loaded_at) as loaded_at, sum(records)::bigint as records,
       sum(accepted)::bigint as accepted, sum(rejected)::bigint as rejected, sum(unreadable)::bigint as unreadable,
       min(first_day) as first_day, max(last_day) as last_day
from current_load
group by dataset
