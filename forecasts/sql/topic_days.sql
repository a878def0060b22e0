-- Cases of each topic by commune of today and day, of an indicator of labelled days; days without any are not there.
select w.new_code as area, o.category, o.period, sum(o.value * w.weight) as value, bool_or(o.simulated) as simulated
from current_observation o
join crosswalk w on w.old_code = o.area and w.old_vintage = o.area_vintage
join area a on a.code = w.new_code and a.level = 'commune' and a.valid_to is null
where o.indicator = $indicator and o.frequency = 'day' and o.category <> 'total'
  and o.status is distinct from 'plan' and o.period between $since and $last
group by all
order by o.period, w.new_code, o.category
