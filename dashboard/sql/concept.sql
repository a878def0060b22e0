-- The members of the concept an indicator belongs to, in the catalog's order; none where it has no rivals.
select c.title as concept_title, c.title_en as concept_title_en, c.indicator, i.title, i.title_en, i.unit, i.unit_en,
       i.decimals, c.denominator, c.denominator_en, c.owner, c.owner_en, c.quote, c.quote_en, c.preferred
from concept c join indicator i using (indicator)
where c.concept = (select concept from concept where indicator = $indicator)
order by c.position
