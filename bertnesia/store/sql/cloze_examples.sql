-- Facts worth asking live: of each relation some that the base has first at its last layer and the other model there, too
-- (retained), or no more (forgotten); those that the base is surest of come first.
WITH known AS (
    SELECT
        ranks.fact,
        max(ranks.rank) FILTER (ranks.model = $base) AS base_rank,
        max(ranks.log_probability) FILTER (ranks.model = $base) AS sureness,
        max(ranks.rank) FILTER (ranks.model = $model) AS model_rank
    FROM ranks
    JOIN models ON models.model = ranks.model AND models.layers = ranks.layer
    WHERE (ranks.model = $base OR ranks.model = $model)
        AND ranks.kind = $kind
        AND ranks.seed = 0
        AND ranks.variant = 'plain'
    GROUP BY ranks.fact
    HAVING base_rank = 1 AND model_rank IS NOT NULL
)

SELECT
    facts.probe_set,
    facts.relation,
    relations.label,
    facts.id AS fact,
    facts.prompt,
    facts.object,
    CASE WHEN known.model_rank > 1 THEN 'forgotten' ELSE 'retained' END AS outcome,
    known.model_rank,
    exp(known.sureness) AS base_probability
FROM known
JOIN facts USING (fact)
JOIN relations USING (probe_set, relation)
WHERE NOT facts.object_in_subject
QUALIFY row_number() OVER (
    PARTITION BY facts.probe_set, facts.relation, known.model_rank > 1 ORDER BY known.sureness DESC, facts.fact
) <= $each
ORDER BY relations.label, facts.probe_set, facts.relation, outcome, base_probability DESC, facts.fact
