known_facts AS (
    SELECT
        facts.id AS fact,
        known.relation,
        relations.label,
        facts.subject,
        facts.object,
        known.model,
        CAST(known.first AS INTEGER) AS first,
        CAST(known.stays AS INTEGER) AS stays
    FROM known
    JOIN facts USING (fact)
    JOIN relations ON relations.probe_set = $probe_set AND relations.relation = known.relation
    JOIN models ON models.model = known.model
    ORDER BY known.first NULLS LAST, relations.label, facts.subject, known.fact, models.position
    LIMIT $limit
)

FROM known_facts
