SELECT
    facts.id AS fact,
    facts.probe_set,
    facts.relation,
    relations.label,
    facts.subject,
    facts.object,
    facts.prompt,
    facts.eligible,
    facts.reason
FROM facts
JOIN relations USING (probe_set, relation)
WHERE ($probe_set IS NULL OR facts.probe_set = $probe_set)
    AND ($relation IS NULL OR facts.relation = $relation)
    AND (
        $text = ''
        OR contains(lower(facts.subject), lower($text))
        OR contains(lower(facts.object), lower($text))
        OR contains(lower(facts.prompt), lower($text))
    )
ORDER BY facts.probe_set, relations.label, facts.subject, facts.object, facts.fact
LIMIT $limit
