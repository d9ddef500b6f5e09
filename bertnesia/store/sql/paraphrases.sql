-- How the templates of each relation compare at each layer of each model, and (no layer) over all of them, over the facts
-- that every template of every model was asked. Only ranks up to k are read.
WITH in_scope AS (
    SELECT fact, relation
    FROM facts
    WHERE probe_set = $probe_set AND (len($relations) = 0 OR list_contains($relations, relation))
),

asked AS (
    SELECT DISTINCT model, relation, variant, CAST(layer AS INTEGER) AS layer
    FROM layer_counts
    WHERE probe_set = $probe_set
        AND seed = $seed
        AND kind = $kinds[list_position($models, model)]
        AND (variant = 'plain' OR starts_with(variant, 'paraphrase_'))
        AND (len($relations) = 0 OR list_contains($relations, relation))
),

templates AS (
    SELECT model, relation, variant, count(*) OVER (PARTITION BY model, relation) AS templates
    FROM (SELECT DISTINCT model, relation, variant FROM asked)
),

-- -1 stands for all layers.
places AS (
    SELECT model, relation, layer
    FROM asked
    GROUP BY model, relation, layer
    HAVING count(*) = (
        SELECT count(*) FROM templates WHERE templates.model = asked.model AND templates.relation = asked.relation
    )
    UNION ALL BY NAME
    SELECT model, relation, -1 AS layer
    FROM asked
    GROUP BY model, relation
    HAVING count(*) = count(DISTINCT variant) * count(DISTINCT layer)
),

answers AS NOT MATERIALIZED (
    SELECT
        best.model,
        best.variant,
        best.fact,
        in_scope.relation,
        CASE
            WHEN $filtered AND $middle THEN best.filtered_middle_rank
            WHEN $filtered THEN best.filtered_rank
            WHEN $middle THEN best.middle_rank
            ELSE best.rank
        END <= $k AS is_right
    FROM best
    JOIN in_scope USING (fact)
    WHERE best.seed = $seed
        AND best.kind = $kinds[list_position($models, best.model)]
        AND best.kind BETWEEN list_min($kinds) AND list_max($kinds)
        AND (best.variant = 'plain' OR starts_with(best.variant, 'paraphrase_'))
),

compared AS (
    SELECT answers.fact, answers.relation
    FROM answers
    JOIN (SELECT relation, count(*) AS n, count(DISTINCT model) AS models FROM templates GROUP BY relation) AS wanted
        USING (relation)
    WHERE wanted.models = len($models)
    GROUP BY answers.fact, answers.relation, wanted.n
    HAVING count(*) = wanted.n
),

right_answers AS (
    SELECT ranks.model, CAST(ranks.layer AS INTEGER) AS layer, ranks.variant, compared.fact, compared.relation
    FROM ranks
    JOIN compared USING (fact)
    WHERE ranks.seed = $seed
        AND ranks.kind = $kinds[list_position($models, ranks.model)]
        AND ranks.kind BETWEEN list_min($kinds) AND list_max($kinds)
        AND ranks.model BETWEEN list_min($models) AND list_max($models)
        AND (ranks.variant = 'plain' OR starts_with(ranks.variant, 'paraphrase_'))
        AND CASE WHEN $filtered THEN ranks.filtered_rank ELSE ranks.rank END
        + CASE WHEN $middle THEN ranks.ties / 2 ELSE 0 END <= $k
    UNION ALL BY NAME
    SELECT model, -1 AS layer, variant, fact, relation
    FROM answers
    SEMI JOIN compared USING (fact)
    WHERE is_right
),

by_template AS (
    SELECT
        places.model,
        places.relation,
        places.layer,
        templates.templates,
        templates.variant,
        coalesce(right_counts.facts, 0) AS correct
    FROM places
    JOIN templates USING (model, relation)
    LEFT JOIN (SELECT model, relation, layer, variant, count(*) AS facts FROM right_answers GROUP BY ALL) AS right_counts
        USING (model, relation, layer, variant)
),

over_templates AS (
    SELECT
        model,
        relation,
        layer,
        any_value(templates) AS templates,
        avg(correct) AS mean,
        max(correct) AS best,
        first(variant ORDER BY correct DESC, variant <> 'plain', variant) AS best_template
    FROM by_template
    GROUP BY model, relation, layer
),

-- Facts that some template has right: the pairs of templates that agree on them.
over_facts AS (
    SELECT
        model,
        relation,
        layer,
        count(*) AS facts,
        sum((correct * (correct - 1) + (templates - correct) * (templates - correct - 1)) / 2) AS alike,
        count(*) FILTER (correct = templates) AS all_right
    FROM (SELECT model, relation, layer, fact, count(*) AS correct FROM right_answers GROUP BY ALL)
    JOIN over_templates USING (model, relation, layer)
    GROUP BY model, relation, layer
),

sizes AS (
    SELECT relation, count(*) AS facts
    FROM compared
    GROUP BY relation
)

SELECT
    model,
    $kinds[list_position($models, model)] AS kind,
    CASE WHEN layer >= 0 THEN layer END AS layer,
    $probe_set AS probe_set,
    relation,
    relations.label,
    over_templates.templates,
    sizes.facts,
    scope.facts - sizes.facts AS left_out,
    mean / sizes.facts AS mean,
    best / sizes.facts AS best,
    best_template,
    CAST(NULL AS DOUBLE) AS consistency,
    CAST(NULL AS DOUBLE) AS all_alike,
    CASE
        WHEN templates > 1
            THEN (2 * coalesce(alike, 0) / (templates * (templates - 1)) + sizes.facts - coalesce(over_facts.facts, 0))
                / sizes.facts
    END AS agreement,
    CASE WHEN templates > 1 THEN coalesce(all_right, 0) / sizes.facts END AS consistent_accuracy
FROM over_templates
JOIN sizes USING (relation)
JOIN (SELECT relation, count(*) AS facts FROM in_scope GROUP BY relation) AS scope USING (relation)
JOIN relations ON relations.probe_set = $probe_set AND relations.relation = over_templates.relation
JOIN models USING (model)
LEFT JOIN over_facts USING (model, relation, layer)
ORDER BY models.position, model, layer < 0, layer, relations.label, relation
