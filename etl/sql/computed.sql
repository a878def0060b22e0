-- Indicators computed from others, always from numerator and denominator on the same boundaries: areas, categories
-- and days are added up before. Run once per depth (`formula` holds one), so that what follows from computed
-- figures finds them.

-- 1. Each figure above the line with the one below it: of the same period; of a head count, the one of the same
--    calendar year; of a growth, the same series a year or a period before. Where that one is missing, so is this.
create or replace temp table pair as
select f.indicator, f.scale, 0 as less, n, d
from formula f
join comparable n on n.indicator = f.numerator
join comparable d on d.indicator = f.denominator and d.area = n.area and d.level = n.level
 and d.category = n.category and d.frequency = n.frequency and d.period = n.period
 and d.period_end = n.period_end
where f.way in ('ratio', 'share')
union all
select f.indicator, f.scale, 0, n, d
from formula f
join comparable n on n.indicator = f.numerator
join comparable d on d.indicator = f.denominator and d.area = n.area and d.level = n.level
 and d.category = 'total' and d.frequency = 'year' and d.period = date_trunc('year', n.period)::date
where f.way = 'per_head'
union all
select f.indicator, f.scale, f.scale, n, d
from formula f
join comparable n on n.indicator = f.numerator
join comparable d on d.indicator = n.indicator and d.area = n.area and d.level = n.level
 and d.category = n.category and d.frequency = n.frequency
 and d.period = (n.period - case when f.over = 'year' or n.frequency = 'year' then interval 1 year
                                 when n.frequency = 'quarter' then interval 3 months
                                 when n.frequency = 'month' then interval 1 month
                                 when n.frequency = 'week' then interval 7 days
                                 else interval 1 day end)::date
where f.way = 'growth' and d.value > 0
  and (f.over = 'previous' or day(d.period) = day(n.period));  -- 29 February has no day a year before

-- 2. The quotient with the worst status, any simulation, the larger estimated share, the newest vintage. Its range
--    is the widest that the ranges of both allow. A figure published under the same name stays.
insert into comparable
select p.indicator, n.area, n.level, n.category, n.frequency, n.period, n.period_end,
       scale * n.value / d.value - less,
       case when ranged then scale * coalesce(n.lower, n.value) / coalesce(d.upper, d.value) - less end,
       case when ranged then scale * coalesce(n.upper, n.value) / coalesce(d.lower, d.value) - less end,
       ['final', 'preliminary', 'estimate'][greatest(
           list_position(['final', 'preliminary', 'estimate'], n.status),
           list_position(['final', 'preliminary', 'estimate'], d.status))],
       n.simulated or d.simulated, greatest(n.estimated_share, d.estimated_share), true, n.dataset,
       greatest(n.as_of, d.as_of)
from (select *, coalesce(n.lower, n.upper, d.lower, d.upper) is not null
                and coalesce(n.lower, n.value) >= 0 and coalesce(d.lower, d.value) > 0 as ranged
      from pair) p
where d.value <> 0
  and not exists (select 1 from comparable c where c.indicator = p.indicator and c.area = n.area
                  and c.category = n.category and c.frequency = n.frequency and c.period = n.period);
