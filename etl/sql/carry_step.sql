-- Figures of the areas that began on one day: those of their parts together, where none is missing and the area
-- has no figure of its own for the period.
insert into figure
select f.indicator, s.new_code, s.new_vintage, f.category, f.frequency, f.period, f.period_end,
       sum(f.value * s.weight),
       sum(least(f.lower * s.weight_lower, f.lower * s.weight_upper)),
       sum(greatest(f.upper * s.weight_lower, f.upper * s.weight_upper)),
       sum(case when s.basis = 'whole' then f.estimated else f.value end * s.weight),
       case when bool_and(f.status = 'final') then 'final' else 'preliminary' end,
       bool_or(f.simulated), max(f.dataset), max(f.as_of)
from figure f
join boundary_step s on s.old_code = f.area and s.old_vintage = f.area_vintage
join (select new_code, new_vintage, count(*) as parts from boundary_step group by all) n
  on n.new_code = s.new_code and n.new_vintage = s.new_vintage
anti join figure own
  on own.area = s.new_code and own.area_vintage = s.new_vintage and own.indicator = f.indicator
 and own.category = f.category and own.frequency = f.frequency and own.period = f.period
 and own.period_end = f.period_end
where s.new_vintage = $day
group by f.indicator, s.new_code, s.new_vintage, f.category, f.frequency, f.period, f.period_end, n.parts
having count(*) = n.parts;
