-- Built from ranks and facts by publishing.

-- What one model knows of one fact over all layers; a fact stays known from the layer after the last that fails.
INSERT INTO best BY NAME
WITH run_layers AS (
    SELECT
        *,
        lag(layer, 1, 0) OVER (PARTITION BY model, kind, seed, variant ORDER BY layer) AS before
    FROM (SELECT DISTINCT model, kind, seed, variant, layer FROM ranks)
),

over_layers AS (
    SELECT
        ranks.model,
        ranks.kind,
        ranks.seed,
        ranks.variant,
        ranks.fact,
        min(rank) AS rank,
        arg_min(layer, rank * 256 + layer) AS layer,
        min(rank) - min(filtered_rank) AS filtered_gain,
        min(rank + ties / 2) - min(rank) AS middle_loss,
        min(filtered_rank + ties / 2) - min(filtered_rank) AS filtered_middle_loss,
        max(rank) FILTER (layer = models.layers) AS last_rank,
        max(others_before) FILTER (layer = models.layers) AS last_others_before,
        max(ties) FILTER (layer = models.layers) AS last_ties,
        min(layer) FILTER (rank <= 1) AS first_1,
        min(layer) FILTER (rank <= 10) AS first_10,
        min(layer) FILTER (rank <= 100) AS first_100,
        coalesce(max(layer) FILTER (rank > 1), 0) AS failed_1,
        coalesce(max(layer) FILTER (rank > 10), 0) AS failed_10,
        coalesce(max(layer) FILTER (rank > 100), 0) AS failed_100
    FROM ranks
    JOIN models USING (model)
    GROUP BY ALL
)

SELECT
    over_layers.* EXCLUDE (failed_1, failed_10, failed_100),
    after_1.layer AS stays_1,
    after_10.layer AS stays_10,
    after_100.layer AS stays_100
FROM over_layers
LEFT JOIN run_layers AS after_1
    ON (after_1.model, after_1.kind, after_1.seed, after_1.variant, after_1.before)
    = (over_layers.model, over_layers.kind, over_layers.seed, over_layers.variant, over_layers.failed_1)
LEFT JOIN run_layers AS after_10
    ON (after_10.model, after_10.kind, after_10.seed, after_10.variant, after_10.before)
    = (over_layers.model, over_layers.kind, over_layers.seed, over_layers.variant, over_layers.failed_10)
LEFT JOIN run_layers AS after_100
    ON (after_100.model, after_100.kind, after_100.seed, after_100.variant, after_100.before)
    = (over_layers.model, over_layers.kind, over_layers.seed, over_layers.variant, over_layers.failed_100)
ORDER BY over_layers.model, over_layers.kind, over_layers.seed, over_layers.variant, over_layers.fact;

INSERT INTO layer_counts BY NAME
SELECT
    ranks.model,
    ranks.kind,
    ranks.seed,
    ranks.variant,
    ranks.layer,
    facts.probe_set,
    facts.relation,
    facts.half,
    count(*) AS facts,
    count(*) FILTER (ranks.rank <= 1) AS right_1,
    count(*) FILTER (ranks.rank <= 10) AS right_10,
    count(*) FILTER (ranks.rank <= 100) AS right_100,
    count(*) FILTER (ranks.rank <= 1 AND best.last_rank <= 1) AS with_last_1,
    count(*) FILTER (ranks.rank <= 10 AND best.last_rank <= 10) AS with_last_10,
    count(*) FILTER (ranks.rank <= 100 AND best.last_rank <= 100) AS with_last_100,
    count(*) FILTER (ranks.rank <= 1 AND base.rank <= 1) AS with_base_1,
    count(*) FILTER (ranks.rank <= 10 AND base.rank <= 10) AS with_base_10,
    count(*) FILTER (ranks.rank <= 100 AND base.rank <= 100) AS with_base_100,
    sum(1 / ranks.rank) AS reciprocal_ranks,
    sum(1 / ranks.rank ** 2) AS squared_reciprocal_ranks,
    count(*) FILTER (ranks.filtered_rank <= 1) AS filtered_right_1,
    count(*) FILTER (ranks.filtered_rank <= 10) AS filtered_right_10,
    count(*) FILTER (ranks.filtered_rank <= 100) AS filtered_right_100,
    count(*) FILTER (ranks.filtered_rank <= 1 AND best.last_filtered_rank <= 1) AS filtered_with_last_1,
    count(*) FILTER (ranks.filtered_rank <= 10 AND best.last_filtered_rank <= 10) AS filtered_with_last_10,
    count(*) FILTER (ranks.filtered_rank <= 100 AND best.last_filtered_rank <= 100) AS filtered_with_last_100,
    count(*) FILTER (ranks.filtered_rank <= 1 AND base.filtered_rank <= 1) AS filtered_with_base_1,
    count(*) FILTER (ranks.filtered_rank <= 10 AND base.filtered_rank <= 10) AS filtered_with_base_10,
    count(*) FILTER (ranks.filtered_rank <= 100 AND base.filtered_rank <= 100) AS filtered_with_base_100,
    sum(1 / ranks.filtered_rank) AS filtered_reciprocal_ranks,
    sum(1 / ranks.filtered_rank ** 2) AS filtered_squared_reciprocal_ranks
FROM ranks
JOIN facts USING (fact)
JOIN best USING (model, kind, seed, variant, fact)
LEFT JOIN ranks AS base
    ON base.model = (SELECT study.base FROM study)
    AND base.kind = CASE WHEN ranks.kind = 'base' AND ranks.model <> base.model THEN 'trained' ELSE ranks.kind END
    AND base.seed = ranks.seed
    AND base.variant = ranks.variant
    AND base.fact = ranks.fact
    AND base.layer = ranks.layer
GROUP BY ALL
ORDER BY ALL;

INSERT INTO asked BY NAME
SELECT
    model,
    kind,
    seed,
    variant,
    probe_set,
    count(*) AS facts,
    any_value(run_layers.layers) AS layers,
    bit_xor(hash(fact)) AS digest
FROM best
JOIN facts USING (fact)
JOIN (
    SELECT model, kind, seed, variant, count(DISTINCT layer) AS layers
    FROM layer_counts
    GROUP BY ALL
) AS run_layers USING (model, kind, seed, variant)
GROUP BY ALL
ORDER BY ALL;
