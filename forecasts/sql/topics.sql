-- What each indicator is about.
select indicator, topic from indicator
