-- Each row is one sentence about what must not be published; only the first few are asked for.

SELECT 'fact ' || id || ' stands ' || count(*) || ' times among the facts' AS problem
FROM facts
GROUP BY id
HAVING count(*) > 1

UNION ALL BY NAME
SELECT 'fact ' || facts.id || ' stands ' || count(*) || ' times in the coverage of ' || coverage.corpus AS problem
FROM coverage
JOIN facts USING (fact)
GROUP BY coverage.corpus, facts.id
HAVING count(*) > 1

UNION ALL BY NAME
SELECT 'relation ' || relation || ' of ' || probe_set || ' has facts but no entry among the relations' AS problem
FROM (SELECT DISTINCT probe_set, relation FROM facts)
ANTI JOIN relations USING (probe_set, relation)

UNION ALL BY NAME
SELECT 'ranks name the model ' || model || ', which is not among the models' AS problem
FROM (SELECT DISTINCT model FROM ranks)
ANTI JOIN models USING (model)

UNION ALL BY NAME
SELECT
    model || ' (' || kind || ' decoders, seed ' || seed || ', ' || variant || ' prompts) has ' || n || ' ranks of fact '
    || facts.id || ' for ' || layers || ' layers'
    || CASE WHEN n > distinct_layers THEN ': some layer has two' ELSE ': some layer has none' END AS problem
FROM (
    SELECT model, kind, seed, variant, fact, count(*) AS n, count(DISTINCT layer) AS distinct_layers
    FROM ranks
    GROUP BY ALL
)
JOIN (SELECT model, kind, seed, variant, count(DISTINCT layer) AS layers FROM ranks GROUP BY ALL)
    USING (model, kind, seed, variant)
JOIN facts USING (fact)
WHERE n <> layers OR n <> distinct_layers

UNION ALL BY NAME
SELECT
    'ranks of ' || model || ' go from ' || low || ' to ' || high || ', but its vocabulary has ' || vocabulary_size
    || ' entries' AS problem
FROM (
    SELECT model, min(least(rank, filtered_rank)) AS low, max(greatest(rank, filtered_rank)) AS high
    FROM ranks
    GROUP BY ALL
)
JOIN models USING (model)
WHERE low < 1 OR high > vocabulary_size

UNION ALL BY NAME
SELECT 'ranks of ' || model || ' name layer ' || layer || ', but it has ' || layers || ' layers' AS problem
FROM (SELECT model, max(layer) AS layer FROM ranks GROUP BY ALL)
JOIN models USING (model)
WHERE layer > layers

UNION ALL BY NAME
SELECT 'predictions of ' || model || ' name fact ' || facts.id || ', which has no rank there' AS problem
FROM (
    SELECT model, kind, layer, fact
    FROM predictions
    ANTI JOIN (FROM ranks WHERE seed = 0 AND variant = 'plain') AS plain USING (model, kind, layer, fact)
    LIMIT 1
)
JOIN facts USING (fact)

UNION ALL BY NAME
SELECT 'the table study has ' || count(*) || ' rows in place of one' AS problem
FROM study
HAVING count(*) <> 1

UNION ALL BY NAME
SELECT 'the study names the base model ' || study.base || ', which is not among the models' AS problem
FROM study
ANTI JOIN models ON models.model = study.base

LIMIT 3;
