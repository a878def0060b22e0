-- The communes of today: where they lie, and the former district in which most of what they were made of lay.
with lay as (
    select c.new_code, former.parent as district, sum(c.weight) as parts
    from crosswalk c
    join area former on former.code = c.old_code and former.area_vintage = c.old_vintage
    where former.level = 'commune' and former.valid_to is not null
      and former.parent in (select code from area where level = 'district')
    group by 1, 2
    qualify row_number() over (partition by c.new_code order by parts desc, district) = 1
)
select a.code as area, a.name, a.kind, a.lat, a.lon, l.district
from area a
left join lay l on l.new_code = a.code
where a.level = 'commune' and a.valid_to is null
order by a.code
