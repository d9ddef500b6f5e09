-- placed: the ranks of the shared facts at every layer of every model.
placed AS NOT MATERIALIZED (
    SELECT
        ranks.model,
        ranks.layer,
        shared.*,
        CASE WHEN $filtered THEN ranks.filtered_rank ELSE ranks.rank END
        + CASE WHEN $middle THEN ranks.ties / 2 ELSE 0 END AS rank
    FROM ranks
    JOIN shared USING (fact)
    WHERE ranks.seed = $seed
        AND ranks.variant = $variant
        AND ranks.kind = $kinds[list_position($models, ranks.model)]
        AND ranks.kind BETWEEN list_min($kinds) AND list_max($kinds)
        AND ranks.model BETWEEN list_min($models) AND list_max($models)
),
