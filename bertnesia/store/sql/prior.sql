-- What the commonest objects of each relation would score: place 1 for the commonest, 2 for the next, and so on, whatever
-- the subject. Filtered, a place counts without the other right objects of the same subject, told by its label.
WITH asked_of_all AS (
    SELECT fact
    FROM best
    WHERE kind = $kind AND seed = $seed AND variant = $variant AND list_contains($models, model)
    GROUP BY fact
    HAVING count(*) = len($models)
),

shared AS (
    SELECT facts.relation, lower(facts.subject) AS subject, lower(facts.object) AS object
    FROM facts
    SEMI JOIN asked_of_all USING (fact)
    WHERE facts.probe_set = $probe_set
        AND (len($relations) = 0 OR list_contains($relations, facts.relation))
),

objects AS (
    SELECT
        relation,
        object,
        row_number() OVER (PARTITION BY relation ORDER BY count(*) DESC, object) AS place
    FROM shared
    GROUP BY relation, object
),

placed AS (
    SELECT shared.relation, shared.subject, objects.place
    FROM shared
    JOIN objects USING (relation, object)
),

places AS (
    SELECT relation, place
    FROM placed
    WHERE NOT $filtered
    UNION ALL BY NAME
    SELECT relation, place + 1 - row_number() OVER (PARTITION BY relation, subject ORDER BY place) AS place
    FROM placed
    WHERE $filtered
),

priors AS (
    SELECT
        relation,
        count(*) AS facts,
        count(*) FILTER (place <= $k) / count(*) AS precision,
        avg(1 / place) AS mrr
    FROM places
    GROUP BY relation
)

SELECT
    CAST(coalesce(sum(facts), 0) AS BIGINT) AS facts,
    count(*) AS relations,
    CASE WHEN $average = 'macro' THEN avg(precision) ELSE sum(precision * facts) / sum(facts) END AS precision,
    CASE WHEN $average = 'macro' THEN avg(mrr) ELSE sum(mrr * facts) / sum(facts) END AS mrr
FROM priors
