-- Forecasts as they leave: one row a period, its median and three bands, of real series of these indicators only.
select f.indicator, i.title as indicator_name, i.unit, f.area, a.area_vintage,
       a.name || coalesce(strftime(a.valid_to, ' (đến %d/%m/%Y)'), '') as area_name, f.category,
       f.frequency, f.period,
       case f.frequency when 'day' then f.period when 'week' then f.period + 6
            when 'month' then last_day(f.period) when 'quarter' then last_day(f.period + interval 2 month)
            else last_day(f.period + interval 11 month) end::date as period_end,
       max(f.value) filter (f.quantile_level = 0.5) as median,
       max(f.value) filter (f.quantile_level = 0.25) as lower_50, max(f.value) filter (f.quantile_level = 0.75) as upper_50,
       max(f.value) filter (f.quantile_level = 0.1) as lower_80, max(f.value) filter (f.quantile_level = 0.9) as upper_80,
       max(f.value) filter (f.quantile_level = 0.025) as lower_95, max(f.value) filter (f.quantile_level = 0.975) as upper_95,
       f.issued, f.origin, f.data_as_of, f.model
from current_forecast f
join indicator i using (indicator)
left join (select * from area qualify row_number() over (partition by code order by area_vintage desc) = 1) a
  on a.code = f.area
where list_contains($indicators, f.indicator)
group by f.indicator, f.area, f.category, f.frequency, f.period, f.issued, f.origin, f.data_as_of, f.model, i.title, i.unit,
         a.area_vintage, a.name, a.valid_to
having not bool_or(f.simulated)
