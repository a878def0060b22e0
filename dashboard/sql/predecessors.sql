-- What a commune of today was made of.
select a.name, a.name_en, a.kind, w.weight, w.weight_lower, w.weight_upper, w.estimated
from crosswalk w join area a on a.code = w.old_code and a.area_vintage = w.old_vintage
where w.new_code = $area and a.level = 'commune' and a.valid_to is not null
  and a.valid_to = (select max(valid_to) from area where level = 'commune')
order by w.weight desc, a.name
