-- What each indicator is called.
select indicator, title, coalesce(title_en, title) as title_en from indicator order by position
