-- The newest vintage of every outcome of the indicators in `again`, and from it the figures that speak of a territory:
-- those of tables.
-- Cases are another thing: each is one row wherever it was received, so they add up without a question.
create or replace temp table cases_only as
select indicator from observation semi join again using (indicator)
group by 1 having bool_and(dataset in (select dataset from case_level)) and count(distinct dataset) = 1;

-- What is only counted from cases has no vintages: it is counted again each time.
create or replace temp table published as
select * from observation semi join again using (indicator) anti join cases_only using (indicator);

create or replace temp table newest as
select * from observation semi join cases_only using (indicator)
union all by name
select * from newest_vintage('published') where status <> 'plan';

create or replace temp table figure as
select o.indicator, o.area, o.area_vintage, o.category, o.frequency, o.period, o.period_end, o.value,
       coalesce(o.lower, o.value) as lower, coalesce(o.upper, o.value) as upper,
       o.value * o.estimated_share as estimated, o.status, o.simulated, o.dataset, o.as_of
from newest o
join indicator i using (indicator)
join area a on a.code = o.area and a.area_vintage = o.area_vintage
where a.level in ('commune', 'district') and i.aggregate in ('sum', 'last') and o.value is not null
  and o.frequency in ('day', 'month', 'quarter', 'year') and o.dataset not in (select dataset from case_level);
