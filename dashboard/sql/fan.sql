-- The forecast of one series that counts: one row a period, one column a quantile used on screen.
select issue, origin, period, horizon, any_value(model) as model, bool_or(simulated) as simulated,
       max(value) filter (abs(quantile_level - 0.025) < 1e-9) as q025,
       max(value) filter (abs(quantile_level - 0.1) < 1e-9) as q10,
       max(value) filter (abs(quantile_level - 0.5) < 1e-9) as q50,
       max(value) filter (abs(quantile_level - 0.9) < 1e-9) as q90,
       max(value) filter (abs(quantile_level - 0.975) < 1e-9) as q975
from current_forecast
where indicator = $indicator and area = $area and category = $category and frequency = $frequency
group by issue, origin, period, horizon
order by period
