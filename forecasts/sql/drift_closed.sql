-- Series of which an alert of drift was closed, and the day of the last time.
select subject as indicator, level, frequency, cast(max(noted_at) as date) as closed_on
from alert join alert_log using (alert)
where rule = 'drift' and event = 'closed'
group by all
