-- Series on the boundaries of today of the indicators in `again`, from the observations as published: after
-- figures.sql and carry_step.sql. They are not in `comparable` any more.

create or replace temp table today as
select code, area_vintage from area where level = 'commune' and valid_to is null;

-- 1. Districts that ended, as an estimate, for communes of today that have no other figure.
insert into figure
select f.indicator, w.new_code, t.area_vintage, f.category, f.frequency, f.period, f.period_end,
       sum(f.value * w.weight),
       sum(least(f.lower * w.weight_lower, f.lower * w.weight_upper)),
       sum(greatest(f.upper * w.weight_lower, f.upper * w.weight_upper)),
       sum(f.value * w.weight),
       case when bool_and(f.status = 'final') then 'final' else 'preliminary' end,
       bool_or(f.simulated), max(f.dataset), max(f.as_of)
from figure f
join area d on d.code = f.area and d.area_vintage = f.area_vintage and d.level = 'district'
join crosswalk w on w.old_code = f.area and w.old_vintage = f.area_vintage
join today t on t.code = w.new_code
join (select w.new_code, count(*) as parts
      from crosswalk w join area d on d.code = w.old_code and d.area_vintage = w.old_vintage
      where d.level = 'district' group by 1) n on n.new_code = w.new_code
anti join figure own
  on own.area = t.code and own.area_vintage = t.area_vintage and own.indicator = f.indicator
 and own.category = f.category and own.frequency = f.frequency and own.period = f.period
 and own.period_end = f.period_end
group by f.indicator, w.new_code, t.area_vintage, f.category, f.frequency, f.period, f.period_end, n.parts
having count(*) = n.parts;

-- 2. Everything by commune of today, days of tables added up to months; cases are counted by month already. Cases
--    of a former commune or district go to the communes of today by the weights of the crosswalk; what rests on an
--    estimated weight is counted too.
create or replace temp table counted as
select o.indicator, o.area, o.area_vintage, o.category, o.frequency, o.period, o.period_end, o.value,
       coalesce(o.lower, o.value) as lower, coalesce(o.upper, o.value) as upper, o.status, o.simulated, o.dataset, o.as_of
from newest o
join indicator i using (indicator)
where i.aggregate in ('sum', 'last') and o.frequency in ('month', 'quarter', 'year')
  and o.dataset in (select dataset from case_level);

create or replace temp table carried as
select c.indicator, w.new_code as area, c.category, c.frequency, c.period, c.period_end,
       c.value * w.weight as value,
       least(c.lower * w.weight_lower, c.lower * w.weight_upper) as lower,
       greatest(c.upper * w.weight_lower, c.upper * w.weight_upper) as upper,
       case when w.estimated then c.value * w.weight else 0 end as estimated,
       c.status, c.simulated, c.dataset, c.as_of
from counted c join crosswalk w on w.old_code = c.area and w.old_vintage = c.area_vintage
union all
select f.indicator, f.area, f.category,
       case f.frequency when 'day' then 'month' else f.frequency end,
       case f.frequency when 'day' then date_trunc('month', f.period)::date else f.period end,
       case f.frequency when 'day' then last_day(f.period) else f.period_end end,
       f.value, f.lower, f.upper, f.estimated, f.status, f.simulated, f.dataset, f.as_of
from figure f join today t on t.code = f.area and t.area_vintage = f.area_vintage;

create or replace temp table loaded as
select dataset, min(first_day) as first_day, max(last_day) as last_day from current_load group by 1;

-- Whole periods only: the current one is left out until it is over.
create or replace temp table by_commune as
select c.indicator, c.area, c.category, c.frequency, c.period, c.period_end, sum(c.value) as value,
       sum(c.lower) as lower, sum(c.upper) as upper, sum(c.estimated) as estimated,
       any_value(c.status) as status, bool_or(c.simulated) as simulated, c.dataset, max(c.as_of) as as_of
from carried c join loaded l using (dataset)
where c.period_end <= l.last_day and c.period >= date_trunc('month', l.first_day)
group by c.indicator, c.area, c.category, c.frequency, c.period, c.period_end, c.dataset;

-- In a loaded month a cell without cases is 0, not missing; so it is in a list of what was counted.
insert into by_commune
select k.indicator, a.code, k.category, 'month', p.period, last_day(p.period), 0, 0, 0, 0, 'final',
       k.simulated, k.dataset, k.as_of
from (select indicator, category, dataset, bool_or(simulated) as simulated, max(as_of) as as_of
      from by_commune where dataset in (from case_level union all from listed) group by 1, 2, 3) k
cross join today a
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

create or replace temp table city as
select code, area_vintage from area where level = 'city' and valid_to is null;

insert into comparable
select indicator, (select code from city), 'city', category, frequency, period, period_end, sum(value), sum(value),
       sum(value), any_value(status), bool_or(simulated), 0, true, dataset, max(as_of)
from by_commune
group by indicator, category, frequency, period, period_end, dataset
having count(distinct area) = (select count(*) from today);

-- 4. The city by day, for calendars of work: weights of one area sum to 1, so none are needed.
insert into comparable
select o.indicator, (select code from city), 'city', 'total', 'day', o.period, o.period, sum(o.value), sum(o.value),
       sum(o.value), any_value(o.status), bool_or(o.simulated), 0, true, o.dataset, max(o.as_of)
from newest o join indicator i using (indicator)
where o.frequency = 'day' and i.aggregate in ('sum', 'last') and o.dataset in (select dataset from case_level)
  and (o.area, o.area_vintage) in (select (old_code, old_vintage) from crosswalk)
group by o.indicator, o.period, o.dataset;

insert into comparable
select f.indicator, (select code from city), 'city', f.category, 'day', f.period, f.period, sum(f.value), sum(f.value),
       sum(f.value), any_value(f.status), bool_or(f.simulated), 0, true, max(f.dataset), max(f.as_of)
from figure f join today t on t.code = f.area and t.area_vintage = f.area_vintage
where f.frequency = 'day'
group by f.indicator, f.category, f.period
having count(*) = (select count(*) from today) or max(f.dataset) in (from listed);

insert into comparable
select k.indicator, (select code from city), 'city', k.category, 'day', d.period, d.period, 0, 0,
       0, 'final', k.simulated, 0, true, k.dataset, k.as_of
from (select indicator, category, dataset, bool_or(simulated) as simulated, max(as_of) as as_of
      from comparable where frequency = 'day' and dataset in (from listed) and indicator in (from again)
      group by 1, 2, 3) k
join (select distinct dataset, unnest(generate_series(first_day, last_day, interval 1 day))::date as period
      from current_load where dataset in (from listed)) d on d.dataset = k.dataset
anti join comparable c
  on c.indicator = k.indicator and c.category = k.category and c.frequency = 'day' and c.period = d.period;

-- 5. Published series of former provinces, the nation, and the city as it is today.
insert into comparable
select o.indicator, o.area, a.level, o.category, o.frequency, o.period, o.period_end, o.value, o.lower,
       o.upper, o.status, o.simulated, o.estimated_share, false, o.dataset, o.as_of
from newest o
join area a on a.code = o.area and a.area_vintage = o.area_vintage
where o.frequency <> 'span' and a.level in ('nation', 'city', 'former_province')
  and (a.level <> 'city' or a.valid_to is null);

-- 6. The city before it existed: its former provinces together, for what adds up and where none is
--    missing. Single published figures of the city are not mixed into such a series.
create or replace temp table added_up as
select c.indicator, c.category, c.frequency, c.period, c.period_end, sum(c.value) as value,
       case when count(*) filter (c.status <> 'final') > 0 then 'preliminary' else 'final' end as status,
       bool_or(c.simulated) as simulated, any_value(c.dataset) as dataset, max(c.as_of) as as_of
from comparable c join indicator i using (indicator)
where c.level = 'former_province' and i.aggregate in ('sum', 'last') and c.frequency = 'year'
  and c.indicator in (from again)
group by c.indicator, c.category, c.frequency, c.period, c.period_end
having count(distinct c.area) = (select count(distinct code) from area where level = 'former_province');

delete from comparable
where level = 'city' and not derived and frequency = 'year'
  and indicator in (select indicator from added_up);

insert into comparable
select indicator, (select code from city), 'city', category, frequency, period, period_end, value, null, null, status,
       simulated, 0, true, dataset, as_of
from added_up;
