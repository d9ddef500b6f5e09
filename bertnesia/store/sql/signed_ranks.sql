-- Sums of Wilcoxon's signed ranks of log(model_rank) - log(base_rank), per relation and for all ('' as relation). Facts
-- without a change are left out; equal changes share the mean of their places. Quotients of ranks order as the
-- differences of logarithms do, and are equal exactly where these are.
, quotients AS (
    SELECT
        CASE WHEN grouping(relation) = 1 THEN '' ELSE relation END AS relation,
        greatest(base_rank, model_rank) / least(base_rank, model_rank) AS quotient,
        count(*) AS n,
        count(*) FILTER (model_rank < base_rank) AS better
    FROM pairs
    GROUP BY GROUPING SETS ((relation, quotient), (quotient))
),

placed AS (
    SELECT
        relation,
        n,
        better,
        quotient = 1 AS unchanged,
        sum(n) FILTER (quotient > 1) OVER (PARTITION BY relation ORDER BY quotient) - (n - 1) / 2 AS place
    FROM quotients
)

SELECT
    relation,
    CAST(sum(n) AS BIGINT) AS facts,
    CAST(coalesce(sum(n) FILTER (NOT unchanged), 0) AS BIGINT) AS changed,
    CAST(sum(better) AS BIGINT) AS better,
    changed - CAST(sum(better) AS BIGINT) AS worse,
    coalesce(sum(place * better) FILTER (NOT unchanged), 0) AS rank_sum_better,
    coalesce(sum(place * (n - better)) FILTER (NOT unchanged), 0) AS rank_sum_worse,
    coalesce(sum(CAST(n AS DOUBLE) ** 3 - n) FILTER (NOT unchanged), 0) AS tie_term
FROM placed
GROUP BY relation
ORDER BY relation
