-- every way out of a C++ function runs its destructors and reports the right SQLSTATE
\set VERBOSITY sqlstate
SELECT vrm.raise(kind) FROM (VALUES ('vrm')) AS k(kind);
SELECT vrm.raise('bad_alloc');
SELECT vrm.raise('invalid_argument');
SELECT vrm.raise('runtime_error');
SELECT vrm.raise('int');
SELECT vrm.divide(1, 0);
SELECT vrm.nested(5);
SELECT vrm.hog('new', 1000, 64);
SELECT vrm.hog('pmr', 1000, 64);
SELECT vrm.hog('guarded palloc', 1000, 64);
SET statement_timeout = '100ms';
SELECT vrm.spin(1000000);
RESET statement_timeout;
SELECT vrm.probes_born() > 20 AS born, vrm.probes_alive() AS alive;
