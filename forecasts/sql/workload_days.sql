-- Cases received in all areas by field and day, over the days that are loaded.
select category, received as period, count(*) as value
from query_table($cases)
where received between $since and $last and category is not null
group by all
order by category, period
