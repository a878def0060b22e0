-- The series of an indicator that have a forecast now, totals and the largest areas first.
with newest as (
    select * from forecast_series where indicator = $indicator
    qualify row_number() over (partition by area, category, frequency order by issue desc) = 1)
select indicator, area, category, frequency
from newest
where model is not null
order by category <> 'total', list_position(['city', 'nation', 'former_province', 'district', 'commune'], level), area,
         category, list_position(['month', 'quarter', 'year', 'week', 'day'], frequency)
