-- The indicators that have a forecast now.
select distinct indicator
from (select indicator, model from forecast_series
      qualify row_number() over (partition by indicator, area, category, frequency order by issue desc) = 1)
where model is not null
order by all
