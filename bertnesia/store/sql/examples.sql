-- One fact a relation that the base has right at its last layer: the one whose rank is worst in another model there.
WITH known AS (
    SELECT best.fact, max(best.last_rank) AS worst
    FROM best
    JOIN models USING (model)
    WHERE best.kind = $kind AND best.seed = 0 AND best.variant = 'plain' AND models.role = 'model'
    GROUP BY best.fact
    HAVING min(best.last_rank) FILTER (models.base IS NULL) = 1
)

SELECT relations.label, facts.prompt, facts.object
FROM known
JOIN facts USING (fact)
JOIN relations USING (probe_set, relation)
QUALIFY row_number() OVER (
    PARTITION BY facts.probe_set, facts.relation ORDER BY known.worst DESC, facts.fact
) = 1
ORDER BY known.worst DESC, facts.fact
LIMIT $limit
