-- Series on the boundaries of today, from the observations as published.
delete from comparable;

-- 1. Commune figures carried over, days added up to months. A figure of a former commune or district goes to
--    the communes of today by the weights of the crosswalk; what rests on an estimated weight is counted too.
create or replace temp table carried as
select o.indicator, w.new_code as area, o.category, o.frequency as given, o.period as day,
       case o.frequency when 'day' then 'month' else o.frequency end as frequency,
       case o.frequency when 'day' then date_trunc('month', o.period)::date else o.period end as period,
       case o.frequency when 'day' then last_day(o.period) else o.period_end end as period_end,
       o.value * w.weight as value,
       o.value * w.weight_lower as lower,
       o.value * w.weight_upper as upper,
       case when w.estimated then o.value * w.weight else 0 end as estimated,
       o.status, o.simulated, o.dataset, o.as_of
from current_observation o
join crosswalk w on w.old_code = o.area and w.old_vintage = o.area_vintage
join indicator i on i.indicator = o.indicator
where o.status <> 'plan' and i.aggregate in ('sum', 'last')
  and o.frequency in ('day', 'month', 'quarter', 'year');

create or replace temp table loaded as
select dataset, min(first_day) as first_day, max(last_day) as last_day from load group by 1;

-- Whole periods only: the current one is left out until it is over.
create or replace temp table by_commune as
select c.indicator, c.area, c.category, c.frequency, c.period, c.period_end, sum(c.value) as value,
       sum(c.lower) as lower, sum(c.upper) as upper, sum(c.estimated) as estimated,
       any_value(c.status) as status, bool_or(c.simulated) as simulated, c.dataset, max(c.as_of) as as_of
from carried c join loaded l using (dataset)
where c.period_end <= l.last_day and c.period >= date_trunc('month', l.first_day)
group by c.indicator, c.area, c.category, c.frequency, c.period, c.period_end, c.dataset;

-- 2. In a loaded month of a case-level dataset a cell without cases is 0, not missing.
insert into by_commune
select k.indicator, a.code, k.category, 'month', p.period, last_day(p.period), 0, 0, 0, 0, 'final',
       k.simulated, k.dataset, k.as_of
from (select indicator, category, dataset, bool_or(simulated) as simulated, max(as_of) as as_of
      from by_commune where dataset in (select dataset from case_level) group by 1, 2, 3) k
cross join (select code from area where level = 'commune' and valid_to is null) a
join (select distinct dataset, period from by_commune) p on p.dataset = k.dataset
anti join by_commune c
  on c.indicator = k.indicator and c.area = a.code and c.category = k.category and c.period = p.period;

-- 3. All categories together, then all communes together (only where none is missing).
insert into by_commune
select indicator, area, 'total', frequency, period, period_end, sum(value), sum(lower), sum(upper),
       sum(estimated), any_value(status), bool_or(simulated), dataset, max(as_of)
from by_commune
where (indicator, dataset) not in (select (indicator, dataset) from by_commune where category = 'total')
group by indicator, area, frequency, period, period_end, dataset;

insert into comparable
select indicator, area, 'commune', category, frequency, period, period_end, value, lower, upper,
       status, simulated, coalesce(estimated / nullif(value, 0), 0), true, dataset, as_of
from by_commune;

insert into comparable
select indicator, 'can_tho', 'city', category, frequency, period, period_end, sum(value), sum(value),
       sum(value), any_value(status), bool_or(simulated), 0, true, dataset, max(as_of)
from by_commune
group by indicator, category, frequency, period, period_end, dataset
having count(distinct area) = (select count(*) from area where level = 'commune' and valid_to is null);

-- 4. The city by day, for calendars of work.
insert into comparable
select indicator, 'can_tho', 'city', 'total', 'day', day, day, sum(value), sum(value), sum(value),
       any_value(status), bool_or(simulated), 0, true, dataset, max(as_of)
from carried where given = 'day'
group by indicator, day, dataset;

-- 5. Published series of former provinces, the nation, and the city.
insert into comparable
select o.indicator, o.area, a.level, o.category, o.frequency, o.period, o.period_end, o.value, o.lower,
       o.upper, o.status, o.simulated, o.estimated_share, false, o.dataset, o.as_of
from current_observation o
join area a on a.code = o.area and a.area_vintage = o.area_vintage
where o.status <> 'plan' and o.frequency <> 'span' and a.level in ('nation', 'city', 'former_province');

-- 6. The city before it existed: the three former provinces together, for what adds up and where none is
--    missing. Single published figures of the city are not mixed into such a series.
create or replace temp table added_up as
select c.indicator, c.category, c.frequency, c.period, c.period_end, sum(c.value) as value,
       case when count(*) filter (c.status <> 'final') > 0 then 'preliminary' else 'final' end as status,
       bool_or(c.simulated) as simulated, any_value(c.dataset) as dataset, max(c.as_of) as as_of
from comparable c join indicator i using (indicator)
where c.level = 'former_province' and i.aggregate in ('sum', 'last') and c.frequency = 'year'
group by c.indicator, c.category, c.frequency, c.period, c.period_end
having count(distinct c.area) = (select count(*) from area where level = 'former_province');

delete from comparable
where level = 'city' and not derived and frequency = 'year'
  and indicator in (select indicator from added_up);

insert into comparable
select indicator, 'can_tho', 'city', category, frequency, period, period_end, value, null, null, status,
       simulated, 0, true, dataset, as_of
from added_up;
