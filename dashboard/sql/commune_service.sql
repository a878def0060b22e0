-- Service of each commune in one field: share on time over the last twelve months, open dossiers at the end.
with months as (
    select area, indicator, period, value
    from comparable
    where level = 'commune' and category = $category and frequency = 'month'
      and indicator in ('applications_resolved', 'applications_on_time', 'applications_overdue', 'applications_pending')
      and period_end < (select value::date from build_fact where name = 'today')
),
last as (select max(period) as period from months)
select area,
       100 * sum(value) filter (indicator = 'applications_on_time' and m.period > l.period - interval 12 month)
           / nullif(sum(value) filter (indicator = 'applications_resolved' and m.period > l.period - interval 12 month), 0)
           ::double as on_time,
       max(value) filter (indicator = 'applications_overdue' and m.period = l.period) as overdue,
       max(value) filter (indicator = 'applications_pending' and m.period = l.period) as pending
from months m, last l
group by area
