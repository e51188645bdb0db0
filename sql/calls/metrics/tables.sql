-- Users' own metrics, and what judges have said of calls: types and tables

CREATE TABLE IF NOT EXISTS vrm.metrics (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL CONSTRAINT name_length CHECK (length(name) BETWEEN 1 AND 200),
    prompt text NOT NULL CONSTRAINT prompt_length CHECK (length(prompt) BETWEEN 1 AND 20000),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT metrics_name UNIQUE (user_id, name)
);
ALTER TABLE vrm.metrics ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.metrics ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.metrics IS 'what users judge their calls by: a name and the prompt of the judge';
COMMENT ON COLUMN vrm.metrics.user_id IS 'owner';
COMMENT ON COLUMN vrm.metrics.id IS 'the metric';
COMMENT ON COLUMN vrm.metrics.name IS 'name to show';
COMMENT ON COLUMN vrm.metrics.prompt IS 'what the judge is asked about a call';
COMMENT ON COLUMN vrm.metrics.created_at IS 'when it was made';
COMMENT ON COLUMN vrm.metrics.updated_at IS 'when it was last changed';

-- No foreign key to the call: what was said of an archived call stays.
CREATE TABLE IF NOT EXISTS vrm.metric_results (
    user_id uuid NOT NULL,
    metric_id uuid NOT NULL,
    run_id uuid NOT NULL,
    score double precision CONSTRAINT score_is_finite CHECK (score > '-Infinity' AND score < 'Infinity'),
    passed boolean,
    rationale text CONSTRAINT rationale_length CHECK (length(rationale) <= 20000),
    at timestamptz NOT NULL DEFAULT now(),
    case_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    judge text NOT NULL DEFAULT 'unnamed' CONSTRAINT judge_length CHECK (length(judge) BETWEEN 1 AND 200),
    is_person boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, metric_id, run_id, case_id, judge),
    CONSTRAINT score_or_verdict CHECK (score IS NOT NULL OR passed IS NOT NULL),
    FOREIGN KEY (user_id, metric_id) REFERENCES vrm.metrics (user_id, id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS metric_results_run ON vrm.metric_results (user_id, run_id);
COMMENT ON TABLE vrm.metric_results IS 'what judges and people have said of calls by metrics, each once';
COMMENT ON INDEX vrm.metric_results_run IS 'what was said of a call';
COMMENT ON COLUMN vrm.metric_results.user_id IS 'owner of metric and call';
COMMENT ON COLUMN vrm.metric_results.metric_id IS 'the metric';
COMMENT ON COLUMN vrm.metric_results.run_id IS 'the call';
COMMENT ON COLUMN vrm.metric_results.score IS 'how good it was, on whatever scale the metric has';
COMMENT ON COLUMN vrm.metric_results.passed IS 'whether it was good enough';
COMMENT ON COLUMN vrm.metric_results.rationale IS 'why, in the judge''s words';
COMMENT ON COLUMN vrm.metric_results.at IS 'when the judge said so';
COMMENT ON COLUMN vrm.metric_results.case_id IS 'test case that it is about; all zeros for the call as a whole';
COMMENT ON COLUMN vrm.metric_results.judge IS 'who said so: the name of a model, a program or a person';
COMMENT ON COLUMN vrm.metric_results.is_person IS 'whether a person said so, who overrules what is no person';
