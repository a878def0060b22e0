-- What became of the alerts, in order.
select entry, noted_at, alert, event, who, text from alert_log order by entry
