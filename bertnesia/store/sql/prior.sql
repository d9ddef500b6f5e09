-- What the commonest objects of each relation would score: place 1 for the commonest, 2 for the next, and so on,
-- whatever the subject. Filtered, a place counts without the other right objects of the same subject, told by its
-- label.
answers AS (
    SELECT relation, lower(facts.subject) AS subject, lower(facts.object) AS object
    FROM facts
    SEMI JOIN shared USING (fact)
),

objects AS (
    SELECT
        relation,
        object,
        row_number() OVER (PARTITION BY relation ORDER BY count(*) DESC, object) AS place
    FROM answers
    GROUP BY relation, object
),

placed AS (
    SELECT answers.relation, answers.subject, objects.place
    FROM answers
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
        scope.relation,
        CASE WHEN $all_facts THEN scope.facts ELSE count(place) END AS n,
        count(*) FILTER (place <= $k) / n AS precision,
        coalesce(sum(1 / place), 0) / n AS mrr
    FROM scope
    LEFT JOIN places USING (relation)
    GROUP BY scope.relation, scope.facts
    HAVING count(place) > 0 OR $all_facts
)

SELECT
    CAST(coalesce(sum(n), 0) AS BIGINT) AS facts,
    count(*) AS relations,
    CASE WHEN $average = 'macro' THEN avg(precision) ELSE sum(precision * n) / sum(n) END AS precision,
    CASE WHEN $average = 'macro' THEN avg(mrr) ELSE sum(mrr * n) / sum(n) END AS mrr
FROM priors
