-- The clock: whether now() can be believed: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.clock (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row CHECK (id),
    seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.clock IS 'what time it was when the platform last looked; one row';
COMMENT ON COLUMN vrm_private.clock.id IS 'true: there is one row';
COMMENT ON COLUMN vrm_private.clock.seen_at IS
    'when vrm.maintain() or a run of retention last came by, with a clock that was believed';
