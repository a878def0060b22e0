-- What each area is called today, or was called last.
select code, level, kind, name from area
qualify row_number() over (partition by code, level order by area_vintage desc) = 1
