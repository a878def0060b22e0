-- What each real dataset is used for: series forecast from it, and how fast their 80 % band widens with the horizon.
with width as (
    select f.indicator, f.area, f.category, f.frequency, f.horizon,
           max(f.value) filter (f.quantile_level = 0.9) - max(f.value) filter (f.quantile_level = 0.1) as width
    from current_forecast f
    where not f.simulated
    group by all),
widening as (
    select later.indicator, later.frequency, later.horizon - 1 as behind,
           median(later.width / nullif(first.width, 0)) - 1 as wider
    from width later
    join width first
      on first.indicator = later.indicator and first.area = later.area and first.category = later.category
     and first.frequency = later.frequency and first.horizon = 1
    group by all)
select o.dataset, w.indicator, w.frequency, w.behind, w.wider,
       (select count(*) from (select distinct area, category from width s
                              where s.indicator = w.indicator and s.frequency = w.frequency)) as series
from (select distinct dataset, indicator, frequency from current_observation where not simulated) o
join widening w using (indicator, frequency)
order by all
