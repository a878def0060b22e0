-- What is expected of each topic of one area in the next month, beside the last month known.
select f.category, any_value(f.origin) as last, any_value(c.value) as before, any_value(f.period) as period,
       max(f.value) filter (abs(quantile_level - 0.1) < 1e-9) as lower,
       max(f.value) filter (abs(quantile_level - 0.5) < 1e-9) as expected,
       max(f.value) filter (abs(quantile_level - 0.9) < 1e-9) as upper
from current_forecast f
left join comparable c on c.indicator = f.indicator and c.area = f.area and c.category = f.category
                      and c.frequency = f.frequency and c.period = f.origin
where f.indicator = $indicator and f.area = $area and f.frequency = 'month' and f.horizon = 1
  and f.category <> 'total'
group by f.category
order by expected desc, f.category
