-- Shapes of documents: types and tables

CREATE TYPE vrm.sentiment AS ENUM ('positive', 'neutral', 'negative');
COMMENT ON TYPE vrm.sentiment IS 'how the customer felt about a call';
