-- One study, as the dashboard reads it. Every table is written once, by publishing.

CREATE TABLE study (
    name VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    base VARCHAR NOT NULL,              -- the model that all others are compared with
    schema_version INTEGER NOT NULL,
    bertnesia_version VARCHAR NOT NULL,
    created TIMESTAMP NOT NULL,         -- UTC
    settings VARCHAR NOT NULL           -- the study file as JSON
);

CREATE TABLE models (
    model VARCHAR PRIMARY KEY,
    label VARCHAR NOT NULL,
    base VARCHAR,                       -- the model it was fine-tuned from, NULL for the base itself
    objective VARCHAR NOT NULL,         -- mlm, qa, ...
    training_data VARCHAR NOT NULL,
    architecture VARCHAR NOT NULL,
    layers INTEGER NOT NULL,
    hidden_size INTEGER NOT NULL,
    vocabulary_size INTEGER NOT NULL,
    parameters BIGINT NOT NULL,
    encoder_hash VARCHAR NOT NULL,
    vocabulary_hash VARCHAR NOT NULL,
    role VARCHAR NOT NULL DEFAULT 'model', -- model: on every page; else seed, control, step or data: a variant, for its measures
    variant_of VARCHAR,                 -- the model of role 'model' that this one is a variant of
    seed INTEGER NOT NULL DEFAULT 0,    -- of fine-tuning
    step INTEGER,                       -- role 'step': the step of the run at which it was probed
    steps INTEGER,                      -- of the whole run
    share DOUBLE,                       -- role 'data': the share of the training data
    matched VARCHAR,                    -- role 'data': what is as in the full run, 'epochs' or 'steps'
    folder VARCHAR NOT NULL,            -- of the checkpoint, relative to the database's folder, or a hub name
    decoder_folder VARCHAR,             -- likewise; NULL means `decoders` in the checkpoint's folder
    scores VARCHAR NOT NULL,            -- held-out scores as JSON
    position INTEGER NOT NULL           -- order and colour on every page, the base first
);

CREATE TABLE decoders (
    model VARCHAR NOT NULL,
    layer INTEGER NOT NULL,
    kind VARCHAR NOT NULL,              -- stock, trained, ...
    seed UTINYINT NOT NULL DEFAULT 0,   -- of decoder training
    corpus VARCHAR NOT NULL,
    steps INTEGER NOT NULL,             -- the step whose weights were kept, 0 for stock
    loss DOUBLE,                        -- validation, nats per masked token
    accuracy DOUBLE,
    still_improving BOOLEAN NOT NULL DEFAULT false, -- when training stopped
    hash VARCHAR NOT NULL,
    PRIMARY KEY (model, layer, kind, seed)
);

CREATE TABLE probe_sets (
    probe_set VARCHAR PRIMARY KEY,
    label VARCHAR NOT NULL,
    licence VARCHAR NOT NULL,
    scoring VARCHAR NOT NULL,           -- what ranks count: 'vocabulary', or for answer spaces how candidates are scored
    files VARCHAR NOT NULL DEFAULT '{}' -- SHA-256 of each file that it was read from, as JSON
);

CREATE TABLE relations (
    probe_set VARCHAR NOT NULL,
    relation VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    template VARCHAR,                   -- NULL where facts bring their own sentences
    type VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    PRIMARY KEY (probe_set, relation)
);

-- A relation's paraphrases; the plain template stands among the relations.
CREATE TABLE templates (
    probe_set VARCHAR NOT NULL,
    relation VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,           -- paraphrase_1, ...
    template VARCHAR NOT NULL,
    PRIMARY KEY (probe_set, relation, variant)
);

CREATE TABLE facts (
    fact INTEGER NOT NULL,              -- its number in this file, by which the other tables name it: little room
    id BIGINT NOT NULL,                 -- its number in every study, from a digest
    probe_set VARCHAR NOT NULL,
    relation VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    object VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL,            -- with [MASK] in the object's place
    eligible BOOLEAN NOT NULL,          -- for the base's tokenizer
    reason VARCHAR NOT NULL,            -- why not, empty for eligible facts
    object_in_subject BOOLEAN NOT NULL DEFAULT false, -- the subject's name contains the object
    half UTINYINT NOT NULL,             -- 0 or 1, drawn by the id: what is chosen on one is scored on the other
    answer INTEGER NOT NULL             -- the same number for the facts of a relation that share their object
);

-- Sorted by (model, kind, seed, variant, fact, layer): unions over layers read it in order.
CREATE TABLE ranks (
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,              -- decoder kind
    seed UTINYINT NOT NULL,             -- of decoder training; extra seeds may have the last layer alone
    variant VARCHAR NOT NULL,           -- of the prompt: plain, subject_masked, subject_swapped, paraphrase_1, ...
    layer UTINYINT NOT NULL,
    fact INTEGER NOT NULL,
    rank INTEGER NOT NULL,              -- 1 is best
    others_before INTEGER NOT NULL,     -- other right answers with a better rank; nearly always 0, which takes no room
    filtered_rank INTEGER GENERATED ALWAYS AS (rank - others_before) VIRTUAL,
    ties INTEGER NOT NULL,              -- other entries with exactly the same score
    log_probability FLOAT NOT NULL      -- natural logarithm, three digits after the point
);

-- Of plain prompts and decoder seed 0 only.
CREATE TABLE predictions (
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    layer UTINYINT NOT NULL,
    fact INTEGER NOT NULL,
    tokens VARCHAR[] NOT NULL,          -- the top 5, best first
    probabilities FLOAT[] NOT NULL        -- four digits after the point
);

CREATE TABLE training (
    model VARCHAR NOT NULL,
    run VARCHAR NOT NULL,               -- "model", or "decoder" for the decoders trained on it
    layer INTEGER,                      -- NULL for the model's own training
    kind VARCHAR,
    step INTEGER NOT NULL,
    score VARCHAR NOT NULL,             -- loss, accuracy, f1, ...
    value DOUBLE NOT NULL
);

-- How many passages of a training text mention subject and object of a fact together.
CREATE TABLE coverage (
    corpus VARCHAR NOT NULL,
    fact INTEGER NOT NULL,
    mentions INTEGER NOT NULL
);

-- Figures quoted from papers and their public code, to stand beside the study's own.
CREATE TABLE published (
    figure VARCHAR NOT NULL,            -- what it is: last_layer_p_at_1, forgetting_rate, ...
    model VARCHAR NOT NULL,
    probe_set VARCHAR NOT NULL,         -- empty where it is of several
    value DOUBLE,                       -- a share
    low DOUBLE,                         -- where a range is quoted
    high DOUBLE,
    right_facts INTEGER,                -- where counts are quoted
    facts INTEGER,
    note VARCHAR NOT NULL,
    source VARCHAR NOT NULL
);

-- Summaries, from which figures of the whole study are answered.
CREATE TABLE layer_counts (
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    seed UTINYINT NOT NULL,
    variant VARCHAR NOT NULL,
    layer UTINYINT NOT NULL,
    probe_set VARCHAR NOT NULL,
    relation VARCHAR NOT NULL,
    half UTINYINT NOT NULL,
    facts INTEGER NOT NULL,             -- with a rank
    right_1 INTEGER NOT NULL,
    right_10 INTEGER NOT NULL,
    right_100 INTEGER NOT NULL,
    with_last_1 INTEGER NOT NULL,       -- right here and at the model's last layer
    with_last_10 INTEGER NOT NULL,
    with_last_100 INTEGER NOT NULL,
    with_base_1 INTEGER NOT NULL,       -- right here and in the base at this layer (its `trained` decoder for kind `base`)
    with_base_10 INTEGER NOT NULL,
    with_base_100 INTEGER NOT NULL,
    reciprocal_ranks DOUBLE NOT NULL,   -- sum of 1 / rank
    squared_reciprocal_ranks DOUBLE NOT NULL,
    filtered_right_1 INTEGER NOT NULL,  -- the same by filtered rank
    filtered_right_10 INTEGER NOT NULL,
    filtered_right_100 INTEGER NOT NULL,
    filtered_with_last_1 INTEGER NOT NULL,
    filtered_with_last_10 INTEGER NOT NULL,
    filtered_with_last_100 INTEGER NOT NULL,
    filtered_with_base_1 INTEGER NOT NULL,
    filtered_with_base_10 INTEGER NOT NULL,
    filtered_with_base_100 INTEGER NOT NULL,
    filtered_reciprocal_ranks DOUBLE NOT NULL,
    filtered_squared_reciprocal_ranks DOUBLE NOT NULL
);

-- What one model knows of one fact over all layers. Columns of the last layer are NULL where it was not asked.
CREATE TABLE best (
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    seed UTINYINT NOT NULL,
    variant VARCHAR NOT NULL,
    fact INTEGER NOT NULL,
    rank INTEGER NOT NULL,              -- best over the layers
    layer UTINYINT NOT NULL,            -- the first layer that reaches it
    filtered_gain INTEGER NOT NULL,
    filtered_rank INTEGER GENERATED ALWAYS AS (rank - filtered_gain) VIRTUAL,
    middle_loss DOUBLE NOT NULL,
    middle_rank DOUBLE GENERATED ALWAYS AS (rank + middle_loss) VIRTUAL, -- best over the layers of rank + ties / 2
    filtered_middle_loss DOUBLE NOT NULL,
    filtered_middle_rank DOUBLE GENERATED ALWAYS AS (rank - filtered_gain + filtered_middle_loss) VIRTUAL,
    last_rank INTEGER,                  -- at the model's last layer
    last_others_before INTEGER,
    last_filtered_rank INTEGER GENERATED ALWAYS AS (last_rank - last_others_before) VIRTUAL,
    last_ties INTEGER,
    first_1 UTINYINT,                   -- the first layer with a rank of at most 1, 10, 100
    first_10 UTINYINT,
    first_100 UTINYINT,
    stays_1 UTINYINT,                   -- the layer from which on the rank is at most 1, 10, 100 to the end
    stays_10 UTINYINT,
    stays_100 UTINYINT
);

-- Which facts a model was asked: models with the same digest were asked the same ones.
CREATE TABLE asked (
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    seed UTINYINT NOT NULL,
    variant VARCHAR NOT NULL,
    probe_set VARCHAR NOT NULL,
    facts INTEGER NOT NULL,
    layers INTEGER NOT NULL,            -- how many layers have ranks
    digest UBIGINT NOT NULL
);
