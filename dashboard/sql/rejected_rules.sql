-- Rules broken in each dataset, with one example of each.
select dataset, rule, field, count(distinct (file, sheet, record)) as records,
       any_value(value) as example, any_value(file) as file, min(record) as record
from rejected
group by dataset, rule, field
order by dataset, records desc, rule
