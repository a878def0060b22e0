-- The communes of today, with their former province and their place on the tile map.
select c.code, c.name, c.name_en, c.kind, c.parent, p.name as parent_name, p.name_en as parent_name_en,
       c.population, c.tile_row, c.tile_col
from area c
left join (select code, any_value(name) as name, any_value(name_en) as name_en
           from area where level = 'former_province' group by code) p on p.code = c.parent
where c.level = 'commune' and c.valid_to is null
order by c.name
