-- Logs of the application, by class and day: types and tables

CREATE TABLE IF NOT EXISTS vrm.logs (
    class text NOT NULL CONSTRAINT known_class CHECK (class IN ('application', 'error', 'analytics')),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    level text NOT NULL CONSTRAINT known_level CHECK (level IN ('debug', 'info', 'warning', 'error')),
    user_id uuid,
    message text NOT NULL CONSTRAINT message_length CHECK (length(message) BETWEEN 1 AND 20000),
    data jsonb CONSTRAINT data_size CHECK (pg_column_size(data) <= 65536)
) PARTITION BY LIST (class);
CREATE TABLE IF NOT EXISTS vrm.logs_application PARTITION OF vrm.logs FOR VALUES IN ('application')
    PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm.logs_error PARTITION OF vrm.logs FOR VALUES IN ('error') PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm.logs_analytics PARTITION OF vrm.logs FOR VALUES IN ('analytics') PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm.logs_application_rest PARTITION OF vrm.logs_application DEFAULT;
CREATE TABLE IF NOT EXISTS vrm.logs_error_rest PARTITION OF vrm.logs_error DEFAULT;
CREATE TABLE IF NOT EXISTS vrm.logs_analytics_rest PARTITION OF vrm.logs_analytics DEFAULT;
CREATE INDEX IF NOT EXISTS logs_user ON vrm.logs (user_id);
-- Rows have no key; without an identity a publication of all tables would stop erasing them.
ALTER TABLE vrm.logs REPLICA IDENTITY FULL;
ALTER TABLE vrm.logs_application REPLICA IDENTITY FULL;
ALTER TABLE vrm.logs_error REPLICA IDENTITY FULL;
ALTER TABLE vrm.logs_analytics REPLICA IDENTITY FULL;
ALTER TABLE vrm.logs_application_rest REPLICA IDENTITY FULL;
ALTER TABLE vrm.logs_error_rest REPLICA IDENTITY FULL;
ALTER TABLE vrm.logs_analytics_rest REPLICA IDENTITY FULL;
COMMENT ON TABLE vrm.logs IS 'what applications log, through vrm.log()';
COMMENT ON TABLE vrm.logs_application IS 'logs of class application, a partition a day';
COMMENT ON TABLE vrm.logs_error IS 'logs of class error, a partition a month';
COMMENT ON TABLE vrm.logs_analytics IS 'logs of class analytics, a partition a month';
COMMENT ON TABLE vrm.logs_application_rest IS 'logs of days without a partition of their own';
COMMENT ON TABLE vrm.logs_error_rest IS 'logs of months without a partition of their own';
COMMENT ON TABLE vrm.logs_analytics_rest IS 'logs of months without a partition of their own';
COMMENT ON INDEX vrm.logs_user IS 'what was logged for a person, who may have to be forgotten';
COMMENT ON COLUMN vrm.logs.class IS 'application, error or analytics: decides how long it is kept';
COMMENT ON COLUMN vrm.logs.at IS 'when';
COMMENT ON COLUMN vrm.logs.level IS 'debug, info, warning or error';
COMMENT ON COLUMN vrm.logs.user_id IS 'for whom; null for nobody in particular';
COMMENT ON COLUMN vrm.logs.message IS 'what happened';
COMMENT ON COLUMN vrm.logs.data IS 'details';
