-- Months of the six workload indicators of one area and field, up to the last full month.
select indicator, period, period_end, value, lower, upper, estimated_share
from comparable
where area = $area and category = $category and frequency = 'month' and value is not null
  and indicator in ('applications_received', 'applications_resolved', 'applications_on_time_share',
                    'applications_overdue', 'applications_pending', 'applications_online_share')
  and period_end < (select value::date from build_fact where name = 'today')
order by indicator, period
