-- How many working days fields are allowed and take: counts by field, allowed and taken (null: not finished by $known).
-- Days are numbered by $working, the working days in order; what arrives on a day off arrives on the next of them.
with numbered as (
    select unnest($working) as day, generate_subscripts($working, 1) as number
), opened as (
    select c.category, c.due, case when c.finished <= $known then c.finished end as finished, n.number as received
    from query_table($cases) c asof join numbered n on c.received <= n.day
    where c.received between $since and $until and c.category is not null and c.due is not null
), ended as (
    select o.category, o.received, o.finished, n.number as due
    from opened o asof join numbered n on o.due >= n.day
), finished as (
    select e.category, e.received, e.due, case when e.finished is not null then n.number end as finished
    from ended e asof left join numbered n on e.finished >= n.day
)
select category, greatest(due - received, 0) as allowed, greatest(finished - received, 0) as taken, count(*) as cases
from finished
group by all
order by category, allowed, taken
