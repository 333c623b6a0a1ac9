-- The ledger, version 3.
-- Losses are INTEGER units of 2^-48 of the dataset's currency, mu^2 or epsilon,
-- and deltas INTEGER units of 2^-64, so sums are exact; a charge is rounded up
-- before it gets here, a budget down.  Times are RFC 3339 in UTC with six
-- decimals, so text order is time order.
--
-- The triggers repeat what the Python code checks first.  They hold when that
-- code has a bug or another program opens the file, and for INSERT OR REPLACE,
-- which deletes without asking delete triggers.

PRAGMA application_id = 0x70764C31;  -- "pvL1"
PRAGMA user_version = 3;

-- What a dataset may lose in all, whoever asks.
CREATE TABLE cap (
    dataset     TEXT    NOT NULL PRIMARY KEY CHECK (dataset <> ''),
    cap         INTEGER NOT NULL CHECK (cap >= 0),
    spent       INTEGER NOT NULL CHECK (spent >= 0),
    delta_cap   INTEGER NOT NULL CHECK (delta_cap >= 0),    -- for thresholds
    delta_spent INTEGER NOT NULL CHECK (delta_spent >= 0),
    delta       TEXT    NOT NULL,               -- a fraction; only for showing epsilon
    CHECK (spent <= cap),
    CHECK (delta_spent <= delta_cap)
) STRICT, WITHOUT ROWID;

-- What one principal may learn of one dataset.
CREATE TABLE account (
    principal   TEXT    NOT NULL CHECK (principal <> ''),
    dataset     TEXT    NOT NULL CHECK (dataset <> ''),
    granted     INTEGER NOT NULL CHECK (granted >= 0),
    spent       INTEGER NOT NULL CHECK (spent >= 0),
    delta_granted INTEGER NOT NULL CHECK (delta_granted >= 0),
    delta_spent INTEGER NOT NULL CHECK (delta_spent >= 0),
    PRIMARY KEY (principal, dataset),
    CHECK (spent <= granted),
    CHECK (delta_spent <= delta_granted)
) STRICT, WITHOUT ROWID;

-- One request that was let through.  Written before any row is read; final.
CREATE TABLE charge (
    seq         INTEGER NOT NULL PRIMARY KEY,   -- 1, 2, 3, ... without gaps
    principal   TEXT    NOT NULL,
    request_id  TEXT    NOT NULL CHECK (request_id <> ''),
    body        BLOB    NOT NULL CHECK (length(body) = 32),  -- a keyed name of the request's bytes
    dataset     TEXT    NOT NULL REFERENCES cap,
    question_id TEXT    NOT NULL,               -- a keyed name, as are purpose and view_id:
    cost        INTEGER NOT NULL CHECK (cost >= 0),     -- equal is seen, and nothing else
    delta       INTEGER NOT NULL CHECK (delta >= 0),
    purpose     TEXT    NOT NULL,
    confidence  TEXT    NOT NULL,               -- of its intervals, in percent
    texts       TEXT    NOT NULL,               -- whose key seals its words; '' is not sealed
    words       BLOB    NOT NULL,               -- title, text and purpose as JSON, sealed
    at          TEXT    NOT NULL,
    UNIQUE (principal, request_id),
    FOREIGN KEY (principal, dataset) REFERENCES account
) STRICT;

CREATE INDEX charge_by_question ON charge (principal, question_id, purpose);

-- A run of the engine for a charge: the first, and at most one more.
CREATE TABLE attempt (
    charge      INTEGER NOT NULL REFERENCES charge,
    number      INTEGER NOT NULL CHECK (number IN (1, 2)),
    at          TEXT    NOT NULL,
    PRIMARY KEY (charge, number)
) STRICT, WITHOUT ROWID;

-- A run that gave no answer.  The charge stands.
CREATE TABLE failure (
    charge      INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    at          TEXT    NOT NULL,
    PRIMARY KEY (charge, number),
    FOREIGN KEY (charge, number) REFERENCES attempt
) STRICT, WITHOUT ROWID;

-- A released vector that a charge paid for: one measure of one plan.
CREATE TABLE measurement (
    charge      INTEGER NOT NULL REFERENCES charge,
    view_id     TEXT    NOT NULL CHECK (view_id <> ''),
    law         TEXT    NOT NULL                -- of its noise, of this scale; or of its choices
        CHECK (law IN ('rounded-gaussian', 'discrete-laplace', 'rounded-laplace',
                       'exponential-choice')),
    multiplier  INTEGER NOT NULL,
    shift       INTEGER NOT NULL,
    vector      BLOB    NOT NULL CHECK (length(vector) % 8 = 0),  -- int64, sealed
    PRIMARY KEY (charge, view_id)
) STRICT;

CREATE INDEX measurement_by_view ON measurement (view_id);

-- The groups that the threshold of a charge showed: whose cells its vectors are.
CREATE TABLE shown (
    charge      INTEGER NOT NULL PRIMARY KEY REFERENCES charge,
    threshold   INTEGER NOT NULL CHECK (threshold >= 1),
    labels      BLOB    NOT NULL                -- canonical JSON in the order of values, sealed
) STRICT;

-- What was sealed for a charge.
CREATE TABLE release (
    charge      INTEGER NOT NULL PRIMARY KEY REFERENCES charge,
    source      TEXT    NOT NULL,               -- what it was made from; '' is not sealed
    bundle      BLOB    NOT NULL,               -- the signed text, sealed
    answer      BLOB    NOT NULL,               -- the bytes a retry gets, sealed
    at          TEXT    NOT NULL
) STRICT;

-- The privacy unit of a dataset and what its losses are counted in, both fixed
-- for its life: mu^2 (gdp), or epsilon without any delta (pure).
CREATE TABLE dataset (
    name        TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    unit        TEXT    NOT NULL CHECK (unit <> ''),
    currency    TEXT    NOT NULL CHECK (currency IN ('gdp', 'pure'))
) STRICT, WITHOUT ROWID;

CREATE TABLE table_version (
    dataset     TEXT    NOT NULL REFERENCES dataset,
    name        TEXT    NOT NULL CHECK (name <> ''),
    version     INTEGER NOT NULL CHECK (version >= 1),
    manifest    BLOB    NOT NULL CHECK (length(manifest) = 32),  -- its SHA-256
    PRIMARY KEY (dataset, name, version)
) STRICT, WITHOUT ROWID;

-- Every state of the keychain that was seen: an older one is one put back.
CREATE TABLE keychain (
    generation  INTEGER NOT NULL PRIMARY KEY CHECK (generation >= 1)
) STRICT;

-- What was shredded.  Written before the key is destroyed.
CREATE TABLE shredded (
    dataset     TEXT    NOT NULL REFERENCES dataset,
    name        TEXT    NOT NULL,               -- '' with version 0: texts of questions,
    version     INTEGER NOT NULL,               -- and column_name says of which month
    column_name TEXT    NOT NULL,               -- '' is the footer, without which nothing opens
    PRIMARY KEY (dataset, name, version, column_name)
) STRICT, WITHOUT ROWID;

-- Who did what, in order: appended in the same transaction as the deed.
CREATE TABLE entry (
    seq         INTEGER NOT NULL PRIMARY KEY,   -- 1, 2, 3, ... without gaps
    at          TEXT    NOT NULL,               -- never before the entry above
    actor       TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    dataset     TEXT    NOT NULL,
    subject     TEXT    NOT NULL,               -- request id, grantee or table
    outcome     TEXT    NOT NULL CHECK (outcome IN ('done', 'denied', 'failed')),
    code        TEXT    NOT NULL,               -- of a denial or failure
    amount      INTEGER NOT NULL CHECK (amount >= 0)
) STRICT;

CREATE INDEX entry_by ON entry (actor);
CREATE INDEX entry_about ON entry (subject);

-- Nothing is ever deleted. ---------------------------------------------------

CREATE TRIGGER cap_is_kept BEFORE DELETE ON cap
BEGIN SELECT RAISE(ABORT, 'PL400 a cap is never deleted'); END;
CREATE TRIGGER account_is_kept BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'PL400 an account is never deleted'); END;
CREATE TRIGGER charge_is_kept BEFORE DELETE ON charge
BEGIN SELECT RAISE(ABORT, 'PL400 a charge is never deleted'); END;
CREATE TRIGGER attempt_is_kept BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'PL400 an attempt is never deleted'); END;
CREATE TRIGGER failure_is_kept BEFORE DELETE ON failure
BEGIN SELECT RAISE(ABORT, 'PL400 a failure is never deleted'); END;
CREATE TRIGGER measurement_is_kept BEFORE DELETE ON measurement
BEGIN SELECT RAISE(ABORT, 'PL400 a measurement is never deleted'); END;
CREATE TRIGGER shown_is_kept BEFORE DELETE ON shown
BEGIN SELECT RAISE(ABORT, 'PL400 what a threshold showed is never deleted'); END;
CREATE TRIGGER release_is_kept BEFORE DELETE ON release
BEGIN SELECT RAISE(ABORT, 'PL400 a release is never deleted'); END;
CREATE TRIGGER dataset_is_kept BEFORE DELETE ON dataset
BEGIN SELECT RAISE(ABORT, 'PL400 a dataset is never deleted'); END;
CREATE TRIGGER version_is_kept BEFORE DELETE ON table_version
BEGIN SELECT RAISE(ABORT, 'PL400 a table version is never deleted'); END;
CREATE TRIGGER keychain_is_kept BEFORE DELETE ON keychain
BEGIN SELECT RAISE(ABORT, 'PL400 a seen generation is never deleted'); END;
CREATE TRIGGER shredded_is_kept BEFORE DELETE ON shredded
BEGIN SELECT RAISE(ABORT, 'PL400 what was shredded stays shredded'); END;
CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'PL400 an entry is never deleted'); END;

-- What is written is final; only caps, grants and what is spent of them move. -

CREATE TRIGGER charge_is_final BEFORE UPDATE ON charge
BEGIN SELECT RAISE(ABORT, 'PL400 a charge is final'); END;
CREATE TRIGGER attempt_is_final BEFORE UPDATE ON attempt
BEGIN SELECT RAISE(ABORT, 'PL400 an attempt is final'); END;
CREATE TRIGGER failure_is_final BEFORE UPDATE ON failure
BEGIN SELECT RAISE(ABORT, 'PL400 a failure is final'); END;
CREATE TRIGGER measurement_is_final BEFORE UPDATE ON measurement
BEGIN SELECT RAISE(ABORT, 'PL400 a measurement is final'); END;
CREATE TRIGGER shown_is_final BEFORE UPDATE ON shown
BEGIN SELECT RAISE(ABORT, 'PL400 what a threshold showed is final'); END;
CREATE TRIGGER release_is_final BEFORE UPDATE ON release
BEGIN SELECT RAISE(ABORT, 'PL400 a release is final'); END;
CREATE TRIGGER dataset_is_final BEFORE UPDATE ON dataset
BEGIN SELECT RAISE(ABORT, 'PL400 a unit and a currency are fixed for life'); END;
CREATE TRIGGER version_is_final BEFORE UPDATE ON table_version
BEGIN SELECT RAISE(ABORT, 'PL400 a table version is final'); END;
CREATE TRIGGER keychain_is_final BEFORE UPDATE ON keychain
BEGIN SELECT RAISE(ABORT, 'PL400 a seen generation is final'); END;
CREATE TRIGGER shredded_is_final BEFORE UPDATE ON shredded
BEGIN SELECT RAISE(ABORT, 'PL400 what was shredded stays shredded'); END;
CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'PL400 an entry is final'); END;

CREATE TRIGGER cap_is_never_refilled BEFORE UPDATE ON cap
WHEN NEW.dataset <> OLD.dataset OR NEW.spent < OLD.spent OR NEW.delta_spent < OLD.delta_spent
BEGIN SELECT RAISE(ABORT, 'PL400 what a dataset lost it never gets back'); END;

CREATE TRIGGER account_is_never_refilled BEFORE UPDATE ON account
WHEN NEW.principal <> OLD.principal OR NEW.dataset <> OLD.dataset
  OR NEW.spent < OLD.spent OR NEW.delta_spent < OLD.delta_spent
BEGIN SELECT RAISE(ABORT, 'PL400 what a principal spent she never gets back'); END;

-- What may be added. ---------------------------------------------------------

CREATE TRIGGER cap_starts_empty BEFORE INSERT ON cap
WHEN NEW.spent <> 0 OR NEW.delta_spent <> 0
  OR EXISTS (SELECT 1 FROM cap WHERE dataset = NEW.dataset)
BEGIN SELECT RAISE(ABORT, 'PL400 a cap starts once and with nothing spent'); END;

CREATE TRIGGER account_starts_empty BEFORE INSERT ON account
WHEN NEW.spent <> 0 OR NEW.delta_spent <> 0
  OR EXISTS (SELECT 1 FROM account WHERE principal = NEW.principal AND dataset = NEW.dataset)
BEGIN SELECT RAISE(ABORT, 'PL400 an account starts once and with nothing spent'); END;

CREATE TRIGGER charge_follows BEFORE INSERT ON charge
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM charge)
  OR EXISTS (SELECT 1 FROM charge WHERE principal = NEW.principal
                                    AND request_id = NEW.request_id)
BEGIN SELECT RAISE(ABORT, 'PL400 a charge is new and follows the last one'); END;

-- No account means nothing fits, not even a charge of nothing.
CREATE TRIGGER charge_fits_account BEFORE INSERT ON charge
WHEN NEW.cost > coalesce((SELECT granted - spent FROM account
                          WHERE principal = NEW.principal AND dataset = NEW.dataset), -1)
  OR NEW.delta > coalesce((SELECT delta_granted - delta_spent FROM account
                           WHERE principal = NEW.principal AND dataset = NEW.dataset), -1)
BEGIN SELECT RAISE(ABORT, 'PL210 this charge does not fit the account'); END;

CREATE TRIGGER charge_fits_cap BEFORE INSERT ON charge
WHEN NEW.cost > coalesce((SELECT cap - spent FROM cap WHERE dataset = NEW.dataset), -1)
  OR NEW.delta > coalesce((SELECT delta_cap - delta_spent FROM cap
                           WHERE dataset = NEW.dataset), -1)
BEGIN SELECT RAISE(ABORT, 'PL211 this charge does not fit the cap'); END;

CREATE TRIGGER charge_is_pure BEFORE INSERT ON charge
WHEN NEW.delta > 0 AND EXISTS (SELECT 1 FROM dataset WHERE name = NEW.dataset
                                                       AND currency = 'pure')
BEGIN SELECT RAISE(ABORT, 'PL410 a pure dataset has no delta to spend'); END;

-- Writing a charge is spending it: no program can do the one without the other.
CREATE TRIGGER charge_is_spent AFTER INSERT ON charge WHEN NEW.cost > 0 OR NEW.delta > 0
BEGIN
    UPDATE account SET spent = spent + NEW.cost, delta_spent = delta_spent + NEW.delta
     WHERE principal = NEW.principal AND dataset = NEW.dataset;
    UPDATE cap SET spent = spent + NEW.cost, delta_spent = delta_spent + NEW.delta
     WHERE dataset = NEW.dataset;
END;

CREATE TRIGGER attempt_follows BEFORE INSERT ON attempt
WHEN NEW.number <> 1 + (SELECT count(*) FROM attempt WHERE charge = NEW.charge)
  OR NOT EXISTS (SELECT 1 FROM charge WHERE seq = NEW.charge)
  OR EXISTS (SELECT 1 FROM release WHERE charge = NEW.charge)
BEGIN SELECT RAISE(ABORT, 'PL400 a sealed answer is never computed again'); END;

CREATE TRIGGER failure_is_of_the_last_attempt BEFORE INSERT ON failure
WHEN NEW.number IS NOT (SELECT max(number) FROM attempt WHERE charge = NEW.charge)
  OR EXISTS (SELECT 1 FROM failure WHERE charge = NEW.charge AND number = NEW.number)
  OR EXISTS (SELECT 1 FROM release WHERE charge = NEW.charge)
BEGIN SELECT RAISE(ABORT, 'PL400 only a running attempt fails'); END;

CREATE TRIGGER measurement_is_paid BEFORE INSERT ON measurement
WHEN NOT EXISTS (SELECT 1 FROM charge WHERE seq = NEW.charge)
  OR EXISTS (SELECT 1 FROM release WHERE charge = NEW.charge)
  OR EXISTS (SELECT 1 FROM measurement WHERE charge = NEW.charge AND view_id = NEW.view_id)
BEGIN SELECT RAISE(ABORT, 'PL400 a measurement belongs to an unsealed charge'); END;

CREATE TRIGGER measurement_is_pure BEFORE INSERT ON measurement
WHEN NEW.law = 'rounded-gaussian'
 AND EXISTS (SELECT 1 FROM charge JOIN dataset ON dataset.name = charge.dataset
             WHERE charge.seq = NEW.charge AND currency = 'pure')
BEGIN SELECT RAISE(ABORT, 'PL410 a pure dataset has no Gaussian noise'); END;

CREATE TRIGGER shown_is_paid BEFORE INSERT ON shown
WHEN NOT EXISTS (SELECT 1 FROM charge WHERE seq = NEW.charge AND delta > 0)
  OR EXISTS (SELECT 1 FROM release WHERE charge = NEW.charge)
  OR EXISTS (SELECT 1 FROM shown WHERE charge = NEW.charge)
BEGIN SELECT RAISE(ABORT, 'PL400 a threshold belongs to an unsealed charge with a delta'); END;

CREATE TRIGGER release_is_sealed_once BEFORE INSERT ON release
WHEN NOT EXISTS (SELECT 1 FROM charge WHERE seq = NEW.charge)
  OR EXISTS (SELECT 1 FROM release WHERE charge = NEW.charge)
BEGIN SELECT RAISE(ABORT, 'PL400 one charge has one answer'); END;

CREATE TRIGGER dataset_is_new BEFORE INSERT ON dataset
WHEN EXISTS (SELECT 1 FROM dataset WHERE name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'PL400 a unit and a currency are fixed for life'); END;

CREATE TRIGGER version_rises BEFORE INSERT ON table_version
WHEN NEW.version <= coalesce((SELECT max(version) FROM table_version
                              WHERE dataset = NEW.dataset AND name = NEW.name), 0)
BEGIN SELECT RAISE(ABORT, 'PL405 a table version is newer than all before'); END;

CREATE TRIGGER shredded_is_known BEFORE INSERT ON shredded
WHEN NEW.name <> '' AND NOT EXISTS (SELECT 1 FROM table_version WHERE dataset = NEW.dataset
                                       AND name = NEW.name AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'PL400 what is shredded was registered'); END;

CREATE TRIGGER keychain_rises BEFORE INSERT ON keychain
WHEN NEW.generation <= coalesce((SELECT max(generation) FROM keychain), 0)
BEGIN SELECT RAISE(ABORT, 'PL412 a keychain is newer than all before'); END;

CREATE TRIGGER entry_follows BEFORE INSERT ON entry
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entry)
  OR NEW.at < coalesce((SELECT at FROM entry ORDER BY seq DESC LIMIT 1), '')
BEGIN SELECT RAISE(ABORT, 'PL400 an entry follows the last one'); END;
