-- How many broken rules there are.
select count(*) from rejected where $dataset::varchar is null or dataset = $dataset::varchar
