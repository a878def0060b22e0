-- Cases not finished by the day, by area of today, field and due day: counts only, no case.
select w.new_code as area, c.category, c.due, sum(w.weight) as pending
from query_table($cases) c
join crosswalk w on w.old_code = c.area and w.old_vintage = c.area_vintage
where (c.finished is null or c.finished > $last) and c.received <= $last and c.category is not null
group by all
order by area, category, due
