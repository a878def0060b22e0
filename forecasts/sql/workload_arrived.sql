-- Cases received by area of today, field and day.
select w.new_code as area, c.category, c.received as day, sum(w.weight) as cases
from query_table($cases) c
join crosswalk w on w.old_code = c.area and w.old_vintage = c.area_vintage
where c.received between $since and $last and c.category is not null
group by all
order by area, category, day
